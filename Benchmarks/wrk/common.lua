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

-- The request that posts one line: a form body and, behind a tab, a cookie.
function post(line)
  local body, cookie = line:match("^([^\t]*)\t?(.*)$")
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["Host"] = wrk.headers["Host"] }
  if cookie ~= "" then
    headers["Cookie"] = cookie
  end
  return wrk.format("POST", nil, headers, body)
end

-- Called once, when all threads have ended. Latencies and the duration are in microseconds.
function done(summary, latency, _)
  local exhausted = false
  local shed = 0
  for _, thread in ipairs(threads) do
    exhausted = exhausted or thread:get("exhausted") == true
    shed = shed + (thread:get("shed") or 0)
  end
  local errors = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "duration": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d, "shed": %d, "exhausted": %s}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, shed, tostring(exhausted)
  ))
end
