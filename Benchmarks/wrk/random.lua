-- Posts lines of a file in no order.  wrk … -- FILE SEED [PAUSE]
--
-- With a pause, each connection rests so many milliseconds after an answer: load below the most that can be had.
dofile("common.lua")

local requests = {}

function init(arguments)
  for _, line in ipairs(lines_of(arguments[1])) do
    table.insert(requests, post(line))
  end
  math.randomseed(tonumber(arguments[2]))
  local pause = tonumber(arguments[3] or "0")
  if pause > 0 then
    delay = function()
      return pause
    end
  end
end

function request()
  return requests[math.random(#requests)]
end
