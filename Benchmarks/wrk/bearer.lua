-- Gets the URL with one access token after the other, and round again: a token on each line.  wrk … -- FILE
dofile("common.lua")

local requests = {}
local last = 0

function init(arguments)
  for _, line in ipairs(lines_of(arguments[1])) do
    local headers = { ["Authorization"] = "Bearer " .. line, ["Host"] = wrk.headers["Host"] }
    table.insert(requests, wrk.format("GET", nil, headers))
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
