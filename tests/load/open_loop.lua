-- Requests at set times, over connections that are kept; see open_loop.py.
--
-- luajit open_loop.lua PORT REQUEST RATE SECONDS WARM_UP_S GRACE_S MAX_CONNECTIONS FOUND
--
-- REQUEST is a file with the request's bytes. FOUND gets three numbers for each measured request,
-- int64, nanoseconds of the monotonic clock: when it was to leave, when it left, when the answer
-- was whole. What went wrong is said on stderr, with status 1.

package.path = arg[0]:match("^(.*)/") .. "/?.lua;" .. package.path
local ffi = require("ffi")
local sockets = require("sockets")
local check, fail = sockets.check, sockets.fail

ffi.cdef([[
typedef struct { long sec, nsec; } timespec;
typedef struct { timespec interval, value; } itimerspec;
int clock_gettime(int clock, timespec *now);
long read(int fd, void *buffer, size_t length);
int timerfd_create(int clock, int flags);
int timerfd_settime(int fd, int flags, const itimerspec *new, itimerspec *old);
]])

local C = ffi.C
local MONOTONIC, NONBLOCK = 1, 0x800
local TICK_S = 0.0005

local moment = ffi.new("timespec")
local function clock()
  C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.sec) * 1e9 + tonumber(moment.nsec)
end

local port, rate = tonumber(arg[1]), tonumber(arg[3])
local seconds, warm_up, grace = tonumber(arg[4]), tonumber(arg[5]), tonumber(arg[6])
local max_connections, found_file = tonumber(arg[7]), arg[8]
local request = assert(io.open(arg[2], "rb")):read("*a")

local connections = 0
local function connect()
  local fd = sockets.connect(port)
  sockets.watch(fd)
  connections = connections + 1
  return fd
end

-- The connection used last is used first: few serve while answers are fast.
local free, frees = {}, 0
local due, left, parts = {}, {}, {}

local together = math.max(1, math.floor(rate * TICK_S + 0.5))
local interval = math.floor(together / rate * 1e9 + 0.5)
local warm_ticks = math.max(1, math.floor(warm_up * 1e9 / interval))
local ticks = math.max(1, math.floor((seconds + warm_up) * 1e9 / interval))
local total = ticks * together
local found = ffi.new("int64_t[?]", 3 * total)
local measured, sent, answered = 0, 0, 0

local function send(intended, now)
  local fd
  if frees > 0 then
    fd = free[frees]
    frees = frees - 1
  elseif connections < max_connections then
    fd = connect()
  else
    return false
  end
  due[fd], left[fd] = intended, now
  sockets.send(fd, request)
  return true
end

local function is_whole(data)
  local head = data:find("\r\n\r\n", 1, true)
  if not head then
    return false
  end
  local length = data:sub(1, head + 1):lower():match("\r\ncontent%-length: *(%d+)\r")
  if length then
    return #data >= head + 3 + tonumber(length)
  end
  return data:sub(-5) == "0\r\n\r\n"
end

local function receive(fd)
  local bytes, length = sockets.receive(fd)
  if not length then
    return
  elseif length == 0 then
    if due[fd] then
      fail("connection closed before the answer")
    end
    for at = frees, 1, -1 do
      if free[at] == fd then
        table.remove(free, at)
        frees = frees - 1
      end
    end
    sockets.close(fd)
    connections = connections - 1
    return
  end
  local data = ffi.string(bytes, length)
  if parts[fd] then
    data = parts[fd] .. data
    parts[fd] = nil
  end
  if not is_whole(data) then
    parts[fd] = data
    return
  end
  if data:sub(1, 13) ~= "HTTP/1.1 200 " then
    fail(data:sub(1, 200))
  end
  return true
end

local timer = check(C.timerfd_create(MONOTONIC, NONBLOCK), "timerfd_create")
sockets.watch(timer)
local setting = ffi.new("itimerspec")
setting.interval.sec, setting.interval.nsec = math.floor(interval / 1e9), interval % 1e9
setting.value = setting.interval
local expired = ffi.new("uint64_t[1]")

local start = clock()
check(C.timerfd_settime(timer, 0, setting, nil), "timerfd_settime")
local deadline, measured_from = start + (seconds + grace) * 1e9, start + warm_ticks * interval
while answered < total do
  local ready, events = sockets.wait(1000)
  for at = 0, ready - 1 do
    local fd = events[at].fd
    if fd == timer then
      C.read(timer, expired, 8)
    elseif receive(fd) then
      answered = answered + 1
      local intended = due[fd]
      if intended >= measured_from then
        found[measured], found[measured + 1], found[measured + 2] = intended, left[fd], clock()
        measured = measured + 3
      end
      due[fd] = nil
      frees = frees + 1
      free[frees] = fd
    end
  end
  local now = clock()
  if now > deadline then
    fail(string.format("%d of %d answers came in time", answered, total))
  end
  while sent < total do
    local intended = start + (math.floor(sent / together) + 1) * interval
    if intended > now or not send(intended, now) then
      break
    end
    sent = sent + 1
  end
end

local file = assert(io.open(found_file, "wb"))
file:write(ffi.string(found, measured * 8))
file:close()
