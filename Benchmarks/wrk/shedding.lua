-- As forms.lua, and counts apart what the server sheds: 503, "come again", is no failure of a bounded queue, nor is 429 of
-- an address from which too many sign in at once, if it says when to come again.
dofile("forms.lua")

shed = 0
wrong = 0

function response(status, headers)
  if status == 503 or status == 429 then
    shed = shed + 1
    if not header(headers, "retry-after") then
      wrong = wrong + 1
    end
  end
end
