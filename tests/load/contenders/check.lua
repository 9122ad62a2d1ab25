-- What the gateway checks before it passes a request on, in nginx: an API key by its
-- HMAC-SHA-256, and three sliding windows in one Redis script.
local ffi = require "ffi"
local redis = require "nginx.redis"

ffi.cdef [[
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
unsigned char *HMAC(const EVP_MD *evp_md, const void *key, int key_len,
    const unsigned char *data, size_t len, unsigned char *md, unsigned int *md_len);
]]

local digest = ffi.new("unsigned char[32]")
local length = ffi.new("unsigned int[1]")

local function hmac_sha256(secret, text)
  ffi.C.HMAC(ffi.C.EVP_sha256(), secret, #secret, text, #text, digest, length)
  return ffi.string(digest, 32)
end

local function from_hex(text)
  return (text:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local function refuse(status, code)
  ngx.status = status
  ngx.header.content_type = "application/problem+json"
  ngx.print('{"status":', status, ',"code":"', code, '"}')
  return ngx.exit(status)
end

local _M = {}

function _M.new(config)
  local keys = {}
  for hex, key in pairs(config.keys) do keys[from_hex(hex)] = key end
  local file = assert(io.open(config.script_file))
  local source = file:read("*a")
  file:close()
  local sha
  local arguments = { "", "1" }
  for _, quota in ipairs(config.quotas) do
    arguments[#arguments + 1] = tostring(quota[1])
    arguments[#arguments + 1] = string.format("%d", quota[2] * 1000000)
  end

  local function decide(connection, id)
    if not sha then
      local loaded, problem = connection:script("load", source)
      if not loaded then return nil, problem end
      sha = loaded
    end
    return connection:evalsha(sha, "1", "rl:{" .. id .. "}", unpack(arguments))
  end

  return function()
    local header = ngx.var.http_authorization
    if not header or header:sub(1, 7) ~= "Bearer " then return refuse(401, "unauthenticated") end
    local key = keys[hmac_sha256(config.pepper, header:sub(8))]
    if not key then return refuse(401, "invalid_key") end
    if key.scope ~= "asr:infer" then return refuse(403, "forbidden") end
    local connection = redis:new()
    connection:set_timeout(1000)
    local connected, problem = connection:connect(config.redis_host, config.redis_port)
    if not connected then
      ngx.log(ngx.ERR, "Redis: ", problem)
      return refuse(503, "limits_unavailable")
    end
    local reply, failure = decide(connection, key.id)
    if not reply then
      ngx.log(ngx.ERR, "Redis: ", failure)
      return refuse(503, "limits_unavailable")
    end
    connection:set_keepalive(60000, 256)
    ngx.header["RateLimit"] = reply[3]
    if reply[1] ~= 1 then
      ngx.header["Retry-After"] = reply[2]
      return refuse(429, "rate_limited")
    end
  end
end

return _M
