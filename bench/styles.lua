-- The stock query of document 000 for so many styles of so many.
local articles, styles = 1000, 1
function init(args)
  articles, styles = tonumber(args[1]), tonumber(args[2])
  math.randomseed(os.time())
end
function request()
  local names = {}
  for i = 1, styles do
    names[i] = '"S' .. math.random(0, articles - 1) .. '"'
  end
  local body = '{"styleNos":[' .. table.concat(names, ",") .. "]}"
  return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, body)
end
