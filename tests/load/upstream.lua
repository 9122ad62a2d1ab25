-- Answers every request with the same small document; see contenders/upstream.py.
--
-- luajit upstream.lua PORT ANSWER CHAT_ANSWER
--
-- Requests for a chat get CHAT_ANSWER. A body is read to its end before the answer, as a service
-- does; one request at a time on a connection, its length declared.

package.path = arg[0]:match("^(.*)/") .. "/?.lua;" .. package.path
local ffi = require("ffi")
local sockets = require("sockets")

local function whole(body)
  return "HTTP/1.1 200 OK\r\nServer: upstream\r\nContent-Type: application/json\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

local answer, chat_answer = whole(arg[2]), whole(arg[3])
local listener = sockets.listen(tonumber(arg[1]))
sockets.watch(listener)

-- Of each connection in the middle of a request: its head as far as it came, or what to answer
-- and the bytes of the body that are missing.
local heads, answers, missing = {}, {}, {}

local function close(fd)
  heads[fd], answers[fd], missing[fd] = nil, nil, nil
  sockets.close(fd)
end

local function serve(fd)
  local bytes, length = sockets.receive(fd)
  if not length then
    return
  elseif length == 0 then
    return close(fd)
  end
  local rest
  if missing[fd] then
    rest = missing[fd] - length
  else
    local data = (heads[fd] or "") .. ffi.string(bytes, length)
    local head = data:find("\r\n\r\n", 1, true)
    if not head then
      heads[fd] = data
      return
    end
    heads[fd] = nil
    local fields = data:sub(1, head + 1):lower()
    if fields:find("\r\ntransfer-encoding:", 1, true) then
      sockets.send(fd, "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n")
      return close(fd)
    end
    rest = tonumber(fields:match("\r\ncontent%-length: *(%d+)\r") or 0) - (#data - head - 3)
    answers[fd] = data:find("^POST /v1/chat/") and chat_answer or answer
  end
  if rest > 0 then
    missing[fd] = rest
    return
  end
  missing[fd] = nil
  sockets.send(fd, answers[fd])
end

while true do
  local ready, events = sockets.wait(-1)
  for at = 0, ready - 1 do
    local fd = events[at].fd
    if fd == listener then
      local connection = sockets.accept(listener)
      if connection then
        sockets.watch(connection)
      end
    else
      serve(fd)
    end
  end
end
