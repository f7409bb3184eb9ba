-- Connects people who are signed in: an authorization, which redirects with a code, then the exchange of that code.
--   wrk -t1 … -- FILE
--
-- A line has the authorization's query, the browser's cookies, and the exchange's body up to the code, with tabs between
-- them. The codes that have come are exchanged before the next authorization is sent.
dofile("common.lua")

finished = 0
wrong = 0

local authorizations = {}
local position = 0
local exchange
local codes = {}
local first = 1
local last = 0

function init(arguments)
  for _, line in ipairs(lines_of(arguments[1])) do
    local query, cookies
    query, cookies, exchange = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    local headers = { ["Cookie"] = cookies, ["Host"] = wrk.headers["Host"] }
    table.insert(authorizations, wrk.format("GET", wrk.path .. "?" .. query, headers))
  end
end

function request()
  if first <= last then
    local code = codes[first]
    codes[first] = nil
    first = first + 1
    return post(exchange .. code, "/oauth/token")
  end
  position = position % #authorizations + 1
  return authorizations[position]
end

function response(status, headers, body)
  if status == 303 then
    local code = (header(headers, "location") or ""):match("[?&]code=([^&]+)")
    if code then
      last = last + 1
      codes[last] = code
    else
      wrong = wrong + 1
    end
  elseif status == 200 and body:find('"access_token"', 1, true) then
    finished = finished + 1
  elseif status < 400 then
    wrong = wrong + 1
  end
end
