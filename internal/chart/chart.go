// Package chart draws small charts as SVG, on the server and without a script: stacked bars and lines over the same
// kind of axes. It sets no colour and no font: each part has a class, and a style sheet decides. It knows nothing of
// what the numbers mean.
package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Chart is what every chart is made of.
type Chart struct {
	ID     string   // of the element; unique on its page
	Title  string   // what is shown, for those who can't see it too
	Desc   string   // what it amounts to, in words
	Labels []string // along the lower axis
	Series []Series
	Scale  Scale
}

// Series is one row of values: as many as there are labels. A value that isn't there is NaN.
type Series struct {
	Name   string
	Class  string // of its bars, lines and points
	Values []float64
}

// Scale is the axis upwards, which begins at zero.
type Scale struct {
	Steps []float64            // distances that lines of the grid may have, ascending; beyond the last its multiples
	Text  func(float64) string // a value on the axis, and in what a mouse over a part shows
}

// The drawing, in its own units: about the width of a narrow phone, where its text must stay readable.
const (
	width, height         = 360.0, 190.0
	left, right           = 44.0, 4.0
	top, bottom           = 8.0, 22.0
	plotWidth, plotHeight = width - left - right, height - top - bottom
	mostLabels            = 6
	mostLines             = 5 // of the grid, above zero
)

// Bars draws the series of each label on top of each other, the first at the bottom.
func (c Chart) Bars() template.HTML {
	highest := 0.0
	for i := range c.Labels {
		sum := 0.0
		for _, s := range c.Series {
			sum += present(s.Values[i])
		}
		highest = max(highest, sum)
	}
	d := c.begin(highest)
	slot := plotWidth / float64(max(len(c.Labels), 1))
	bar := min(slot*.7, 36)
	for i, label := range c.Labels {
		x, y := left+slot*float64(i)+(slot-bar)/2, top+plotHeight
		for _, s := range c.Series {
			value := present(s.Values[i])
			if value <= 0 {
				continue
			}
			tall := d.length(value)
			y -= tall
			d.printf(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s, %s: %s</title></rect>`,
				s.Class, x, y, bar, tall, label, s.Name, c.Scale.Text(value))
		}
	}
	return d.end()
}

// Lines draws a line and a point at every value of each series. Where a value is missing the line is interrupted.
func (c Chart) Lines() template.HTML {
	highest := 0.0
	for _, s := range c.Series {
		for _, v := range s.Values {
			highest = max(highest, present(v))
		}
	}
	d := c.begin(highest)
	slot := plotWidth / float64(max(len(c.Labels), 1))
	for _, s := range c.Series {
		var path strings.Builder
		verb := "M"
		for i, v := range s.Values {
			if math.IsNaN(v) {
				verb = "M"
				continue
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", verb, left+slot*(float64(i)+.5), top+plotHeight-d.length(v))
			verb = "L"
		}
		d.printf(`<path class="chart-line %s" d="%s"/>`, s.Class, path.String())
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				d.printf(`<circle class="%s" cx="%.1f" cy="%.1f" r="2.6"><title>%s, %s: %s</title></circle>`,
					s.Class, left+slot*(float64(i)+.5), top+plotHeight-d.length(v), c.Labels[i], s.Name, c.Scale.Text(v))
			}
		}
	}
	return d.end()
}

// present is a value, or zero where there is none.
func present(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
