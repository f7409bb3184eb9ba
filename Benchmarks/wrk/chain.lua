-- Refreshes as a client does that keeps the newest token: each answer's refresh token is the next request's.
--   wrk -t1 … -- FILE
--
-- The file's bodies differ in their refresh token only. There must be more of them than connections, so that a token is
-- always waiting.
dofile("common.lua")

local before, after
local tokens = {}
local first = 1
local last

function init(arguments)
  for _, line in ipairs(lines_of(arguments[1])) do
    local token
    before, token, after = line:match("^(.*&refresh_token=)([^&]*)(.*)$")
    table.insert(tokens, token)
  end
  last = #tokens
end

function request()
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return post(before .. token .. after)
end

function response(status, _, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if status == 200 and token then
    last = last + 1
    tokens[last] = token
  end
end
