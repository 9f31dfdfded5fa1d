"""Where and when: altitudes, areas and volumes, exact on a stated model.

What a volume is: `altitude` how high, in which datum · `area` circles, corridors, polygons and
moving ones · `moving` where those are at a time ·
`volume` an area with its band and interval · `rules` what is no shape at all.

How two compare: `earth` degrees to whole earth-centred coordinates · `edge` the points of an edge ·
`plane` one orientation predicate · `outline` rings and lines, and what is inside · `overlap` overlap,
touch or apart · `reach` is it nearer than a length · `near` the box filter in front · `shape` the
lateral comparison that the engine calls. docs/spec/airspace-model.md is the normative text.
"""
