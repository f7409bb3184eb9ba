-- Posts each line of a file exactly once, and stops when there are no more.  wrk … -- FILE THREADS
--
-- Of several threads each takes every so many-th line, so that they share none.
dofile("common.lua")

exhausted = false
local requests = {}
local last = 0

function init(arguments)
  local threads = tonumber(arguments[2])
  for position, line in ipairs(lines_of(arguments[1])) do
    if position % threads == number then
      table.insert(requests, post(line))
    end
  end
end

function request()
  last = last + 1
  if last > #requests then
    exhausted = true
    wrk.thread:stop()
    return wrk.format("GET", "/healthz")
  end
  return requests[last]
end
