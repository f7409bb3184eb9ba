-- As forms.lua, and counts apart what the server sheds: 503, "come again", is no failure of a bounded queue.
dofile("forms.lua")

shed = 0

function response(status)
  if status == 503 then
    shed = shed + 1
  end
end
