-- The health of an RLVRJob, from its conditions as kstatus reads them. Argo CD runs it with the resource in the global obj
-- and without Lua's string library.
local function condition(name)
  if obj.status ~= nil and obj.status.conditions ~= nil then
    for _, c in ipairs(obj.status.conditions) do
      if c.type == name then
        return c
      end
    end
  end
  return { status = "Unknown", message = "" }
end

local function health(status, message)
  return { status = status, message = message }
end

local ready = condition("Ready")
local reconciling = condition("Reconciling")
local stalled = condition("Stalled")
local suspended = condition("Suspended")

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not seen this spec yet")
end
if stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if suspended.status == "True" then
  return health("Suspended", suspended.message)
end
if reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
return health("Progressing", ready.message)
