// SPDX-License-Identifier: GPL-2.0-only
// A filter, and arrow keys in the map.  The page says all that it has to say without.
"use strict";
(() => {
	const map = document.querySelector("table.map");
	const filter = document.getElementById("filter");
	const bad = document.getElementById("bad");

	document.documentElement.classList.add("js");

	function apply() {
		const words = filter.value.toLowerCase().split(/\s+/);
		for (const body of map.tBodies) {
			const test = body.rows[0].cells[0].textContent.toLowerCase();
			let shown = 0;
			for (const row of [...body.rows].slice(1)) {
				const name = test + "." + row.cells[0].textContent.toLowerCase();
				row.hidden = !words.every(w => name.includes(w)) || (bad.checked &&
					!row.querySelector(".fail, .timeout, .crash, .missing, .error, .flaky"));
				shown += !row.hidden;
			}
			body.hidden = !shown;
		}
	}
	filter.addEventListener("input", apply);
	bad.addEventListener("change", apply);
	apply();

	// The map is one stop of the Tab key; the arrows move in it.
	const links = () => [...map.querySelectorAll("td a")].filter(a => a.offsetParent);
	map.querySelectorAll("td a").forEach((a, i) => { a.tabIndex = i ? -1 : 0; });
	function go(a) {
		map.querySelectorAll("td a[tabindex='0']").forEach(o => { o.tabIndex = -1; });
		a.tabIndex = 0;
		a.focus();
	}
	function step(a, key) {
		const column = a.parentElement.cellIndex, all = links(), at = all.indexOf(a);
		if (key === "ArrowRight" || key === "ArrowLeft")
			return all[at + (key === "ArrowRight" ? 1 : -1)];
		const rest = key === "ArrowDown" ? all.slice(at + 1) : all.slice(0, at).reverse();
		return rest.find(b => b.parentElement.cellIndex === column &&
			b.parentElement.parentElement !== a.parentElement.parentElement);
	}
	map.addEventListener("keydown", e => {
		const a = e.target.closest("td a");
		if (!a || !e.key.startsWith("Arrow"))
			return;
		e.preventDefault();
		const next = step(a, e.key);
		if (next)
			go(next);
	});
	document.addEventListener("keydown", e => {
		if (e.key === "/" && e.target !== filter && !e.ctrlKey && !e.altKey && !e.metaKey) {
			e.preventDefault();
			filter.focus();
		} else if (e.key === "Escape" && e.target === filter) {
			filter.value = "";
			apply();
		}
	});

	function open() {
		const id = location.hash.slice(1), details = id && document.getElementById(id);
		if (details && details.tagName === "DETAILS") {
			details.open = true;
			details.querySelector("summary").focus({ preventScroll: true });
			details.scrollIntoView();
		}
	}
	addEventListener("hashchange", open);
	open();
})();
