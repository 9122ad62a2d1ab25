-- Gives logs back the units that a gateway knows of and Redis lost.
-- KEYS[i]      log
-- ARGV[1]      milliseconds that a log is kept
-- ARGV[1 + i]  what the gateway knows: packed microseconds, oldest first
-- A unit that both know is counted once: its time is the one that Redis gave it.
local unpack = struct.unpack

local function merged(one, two)
  local all, i, j = {}, 1, 1
  while i < #one and j < #two do
    local a, b = unpack('<d', one, i), unpack('<d', two, j)
    if a <= b then
      all[#all + 1] = one:sub(i, i + 7)
      i = i + 8
      if a == b then j = j + 8 end
    else
      all[#all + 1] = two:sub(j, j + 7)
      j = j + 8
    end
  end
  return table.concat(all) .. one:sub(i) .. two:sub(j)
end

for i, key in ipairs(KEYS) do
  local known, stored = ARGV[1 + i], redis.call('GET', key)
  if stored and stored ~= known then known = merged(stored, known) end
  redis.call('SET', key, known, 'PX', ARGV[1])
end
return #KEYS
