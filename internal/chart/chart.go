// Package chart renders small charts as SVG without scripts: stacked bars and lines on common axes. It sets no colours
// or fonts: parts have classes for a style sheet. It knows nothing of what the values mean.
package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Chart is the data of a chart.
type Chart struct {
	ID     string   // of the element; unique on the page
	Title  string   // accessible name
	Desc   string   // accessible description
	Labels []string // of the horizontal axis
	Series []Series
	Scale  Scale
}

// Series is a row of values, one per label. A missing value is NaN.
type Series struct {
	Name   string
	Class  string // of bars, lines and points
	Values []float64
}

// Scale is the vertical axis, which starts at zero.
type Scale struct {
	Steps []float64            // possible distances of grid lines, ascending; beyond the last, its multiples
	Text  func(float64) string // formats a value on the axis and in tooltips
}

// Dimensions in user units: about the width of a narrow phone, where text must stay legible.
const (
	width, height         = 360.0, 190.0
	left, right           = 44.0, 4.0
	top, bottom           = 8.0, 22.0
	plotWidth, plotHeight = width - left - right, height - top - bottom
	mostLabels            = 6
	mostLines             = 5 // grid lines above zero
)

// Bars renders the series of each label as stacked bars, the first at the bottom.
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

// Lines renders a line with points for each series. A missing value interrupts the line.
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

// present returns a value, or zero if it is missing.
func present(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
