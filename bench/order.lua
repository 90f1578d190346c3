-- One five-line order of document 000 a request, each with a number of its own.
local articles, run = 1000, 0
local n = 0
function init(args)
  articles = tonumber(args[1])
  run = args[2] or "0"
  math.randomseed(os.time() + tonumber(run) * 7919)
  seed = math.random(1, 1e9)
end
local head = '{"pickGoods":{"custName":"安港珠宝","fineness":"足金999","outDate1":"2023-11-20",'
  .. '"outDate2":"2023-11-26","oprtNo":"硬金打砂-黄家金","keyin":"字印","remark":"备注","oriOrderNo":"'
function request()
  n = n + 1
  local lines = {}
  for i = 1, 5 do
    lines[i] = '{"styleNo":"S' .. math.random(0, articles - 1) .. '","qty":1}'
  end
  local body = head .. "B" .. run .. "-" .. seed .. "-" .. n .. '","username":"明天L"},"pickGoodsDtls":['
    .. table.concat(lines, ",") .. "]}"
  return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, body)
end
local seen = false
function response(status, headers, body)
  if not seen and not body:find('"code":200', 1, true) then
    seen = true
    io.stderr:write("unexpected answer: " .. status .. " " .. body .. "\n")
    os.exit(3)
  end
end
