-- Posts the lines of a file, one after the other and round again.  wrk … -- FILE
dofile("common.lua")

local requests = {}
local last = 0

function init(arguments)
  for _, line in ipairs(lines_of(arguments[1])) do
    table.insert(requests, post(line))
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
