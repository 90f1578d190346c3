// Draws every element with data-chart from the JSON its address answers, in the page's own colours.
"use strict";

(() => {
  const colour = (name) => {
    // A custom property holds light-dark(…); only a real property gives the colour in force.
    const probe = document.createElement("i");
    probe.hidden = true;
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  function option(data) {
    const ink = colour("--ink-3");
    const axis = { axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: ink, fontSize: 11 } };
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 8, top: 46, bottom: 2, containLabel: true },
      legend: data.series.length > 1
        ? { top: 0, left: 0, icon: "roundRect", itemWidth: 9, itemHeight: 9, itemGap: 16, textStyle: { color: colour("--ink-2"), fontSize: 12 } }
        : undefined,
      tooltip: {
        trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow", shadowStyle: { color: colour("--hover"), opacity: 0.6 } },
        backgroundColor: colour("--panel"), borderColor: colour("--line-strong"), textStyle: { color: colour("--ink"), fontSize: 12 },
      },
      xAxis: { type: "category", data: data.labels, ...axis, axisLabel: { ...axis.axisLabel, hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, name: data.unit, nameTextStyle: { color: ink, fontSize: 11, align: "left", padding: [0, 0, 0, -16] }, nameGap: 10, ...axis, splitLine: { lineStyle: { color: colour("--line") } } },
      series: data.series.map((one, index) => ({
        name: one.name, data: one.values, type: one.type ?? "bar", stack: one.stack,
        barMaxWidth: 18, barCategoryGap: "35%", symbol: "none", smooth: 0.2,
        itemStyle: { color: colour(`--series-${one.colour ?? index + 1}`), borderRadius: one.stack ? 0 : [2, 2, 0, 0] },
        lineStyle: { width: 2, color: colour(`--series-${one.colour ?? index + 1}`) },
      })),
    };
  }

  async function draw(element) {
    const answer = await fetch(element.dataset.chart, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const data = await answer.json();
    const chart = echarts.getInstanceByDom(element) ?? echarts.init(element, null, { renderer: "canvas" });
    chart.setOption(option(data), true);
  }

  const all = () => [...document.querySelectorAll("[data-chart]")];
  const redraw = () => { if (!document.hidden) for (const element of all()) draw(element).catch(() => {}); };
  redraw();
  setInterval(redraw, 15000);
  document.addEventListener("theme", redraw);
  new ResizeObserver(() => { for (const element of all()) echarts.getInstanceByDom(element)?.resize(); })
    .observe(document.body);
})();
