-- Sockets and epoll for LuaJIT: what the load generator and its upstream have in common.

local ffi = require("ffi")
local bit = require("bit")

ffi.cdef([[
struct sockaddr_in { uint16_t family; uint16_t port; uint32_t addr; char zero[8]; };
int socket(int domain, int type, int protocol);
int bind(int fd, const struct sockaddr_in *address, unsigned int length);
int listen(int fd, int backlog);
int accept4(int fd, void *address, void *length, int flags);
int connect(int fd, const struct sockaddr_in *address, unsigned int length);
int setsockopt(int fd, int level, int name, const void *value, unsigned int length);
int fcntl(int fd, int command, ...);
int close(int fd);
long send(int fd, const void *buffer, size_t length, int flags);
long recv(int fd, void *buffer, size_t length, int flags);
int epoll_create1(int flags);
int epoll_ctl(int epoll, int operation, int fd, void *event);
int epoll_wait(int epoll, void *events, int most, int timeout_ms);
char *strerror(int number);
]])
-- The kernel packs it on one architecture only.
if ffi.arch == "x64" then
  ffi.cdef("typedef struct __attribute__((packed)) { uint32_t events; int fd, rest; } epoll_event;")
else
  ffi.cdef("typedef struct { uint32_t events; int fd, rest; } epoll_event;")
end

local C = ffi.C
local AF_INET, SOCK_STREAM, SOL_SOCKET, REUSEADDR, TCP, NODELAY = 2, 1, 1, 2, 6, 1
local F_SETFL, NONBLOCK, NOSIGNAL, READABLE, ADD, EAGAIN, EINTR = 4, 0x800, 0x4000, 1, 1, 11, 4
local BACKLOG, MOST_EVENTS, BUFFER = 4096, 256, 65536

local M = {}

function M.fail(why)
  io.stderr:write(why, "\n")
  os.exit(1)
end

function M.check(result, what)
  if result < 0 then
    M.fail(what .. ": " .. ffi.string(C.strerror(ffi.errno())))
  end
  return result
end

local check = M.check
local yes = ffi.new("int[1]", 1)

local function loopback(port)
  local address = ffi.new("struct sockaddr_in")
  address.family = AF_INET
  address.port = bit.bor(bit.lshift(bit.band(port, 0xff), 8), bit.rshift(port, 8))
  address.addr = ffi.abi("le") and 0x0100007f or 0x7f000001
  return address, ffi.sizeof(address)
end

local function without_delay(fd)
  check(C.setsockopt(fd, TCP, NODELAY, yes, ffi.sizeof(yes)), "setsockopt")
  check(C.fcntl(fd, F_SETFL, ffi.cast("int", NONBLOCK)), "fcntl")
  return fd
end

function M.listen(port)
  local fd = check(C.socket(AF_INET, SOCK_STREAM + NONBLOCK, 0), "socket")
  check(C.setsockopt(fd, SOL_SOCKET, REUSEADDR, yes, ffi.sizeof(yes)), "setsockopt")
  check(C.bind(fd, loopback(port)), "bind")
  check(C.listen(fd, BACKLOG), "listen")
  return fd
end

-- A connection, or nothing when none waits.
function M.accept(listener)
  local fd = C.accept4(listener, nil, nil, 0)
  if fd >= 0 then
    return without_delay(fd)
  end
end

function M.connect(port)
  local fd = check(C.socket(AF_INET, SOCK_STREAM, 0), "socket")
  check(C.connect(fd, loopback(port)), "connect")
  return without_delay(fd)
end

-- What is sent fits into the socket's buffer.
function M.send(fd, data)
  if C.send(fd, data, #data, NOSIGNAL) ~= #data then
    M.fail("a message did not fit into the socket's buffer")
  end
end

local buffer = ffi.new("char[?]", BUFFER)

-- What came, and how many bytes: 0 is the end of the connection, nothing is nothing yet.
function M.receive(fd)
  local length = tonumber(C.recv(fd, buffer, BUFFER, 0))
  if length >= 0 then
    return buffer, length
  elseif ffi.errno() ~= EAGAIN then
    return buffer, 0
  end
end

function M.close(fd)
  C.close(fd)
end

local epoll = check(C.epoll_create1(0), "epoll_create1")
local event = ffi.new("epoll_event")
local events = ffi.new("epoll_event[?]", MOST_EVENTS)

function M.watch(fd)
  event.events, event.fd = READABLE, fd
  check(C.epoll_ctl(epoll, ADD, fd, event), "epoll_ctl")
end

-- How many descriptors are readable, and an array of events that name them.
function M.wait(timeout_ms)
  local ready = C.epoll_wait(epoll, events, MOST_EVENTS, timeout_ms)
  if ready < 0 and ffi.errno() ~= EINTR then
    check(ready, "epoll_wait")
  end
  return ready, events
end

return M
