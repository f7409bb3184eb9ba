-- What every script shares: reading lines, telling threads apart, and the result as one line of JSON.

local threads = {}

-- Called once per thread, before it starts.
function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

-- The lines of a file.
function lines_of(path)
  local lines = {}
  for line in io.lines(path) do
    table.insert(lines, line)
  end
  assert(#lines > 0, path .. " is empty")
  return lines
end

-- The request that posts one line, a form body and, behind a tab, a cookie, to a path or to the URL's own.
function post(line, path)
  local body, cookie = line:match("^([^\t]*)\t?(.*)$")
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["Host"] = wrk.headers["Host"] }
  if cookie ~= "" then
    headers["Cookie"] = cookie
  end
  return wrk.format("POST", path, headers, body)
end

-- The value of an answer's header, however its name is written.
function header(headers, name)
  for written, value in pairs(headers) do
    if written:lower() == name then
      return value
    end
  end
  return nil
end

-- What the report asks for: half of the answers came within the 50th of these, and so on.
local percents = { 1, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99 }

-- What a script counts in a variable of its threads; nil when it does not.
local function sum(name)
  local total
  for _, thread in ipairs(threads) do
    local count = thread:get(name)
    if count then
      total = (total or 0) + count
    end
  end
  return total
end

-- Called once, when all threads have ended. Latencies and the duration are in microseconds.
--
-- Scripts may count `finished` (what takes several requests), `shed` (503, "come again"), `wrong` (an answer of a good
-- status that is not what was asked for), and say that they are `exhausted`.
function done(summary, latency, _)
  local exhausted = false
  for _, thread in ipairs(threads) do
    exhausted = exhausted or thread:get("exhausted") == true
  end
  local curve = {}
  for _, percent in ipairs(percents) do
    table.insert(curve, string.format("[%g, %d]", percent, latency:percentile(percent)))
  end
  table.insert(curve, string.format("[100, %d]", latency.max))
  local errors = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "done": %d, "duration": %d, "p50": %d, "p99": %d, "percentiles": [%s], "refused": %d, '
      .. '"broken": %d, "wrong": %d, "shed": %d, "exhausted": %s}',
    summary.requests, sum("finished") or -1, summary.duration, latency:percentile(50), latency:percentile(99),
    table.concat(curve, ", "), errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    sum("wrong") or 0, sum("shed") or 0, tostring(exhausted)
  ))
end
