package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// drawing is a chart being rendered.
type drawing struct {
	b       strings.Builder
	highest float64 // value at the top of the plot
}

// printf writes markup. String arguments are escaped.
func (d *drawing) printf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = template.HTMLEscapeString(text)
		}
	}
	fmt.Fprintf(&d.b, format+"\n", args...)
}

// length returns the height of a value.
func (d *drawing) length(v float64) float64 { return plotHeight * v / d.highest }

// begin renders title, grid and labels.
func (c Chart) begin(highest float64) *drawing {
	step := c.Scale.step(highest)
	d := &drawing{highest: step}
	for d.highest < highest {
		d.highest += step
	}
	d.printf(`<svg class="chart" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="%s-title %s-desc" preserveAspectRatio="xMidYMid meet">`,
		width, height, c.ID, c.ID)
	d.printf(`<title id="%s-title">%s</title>`, c.ID, c.Title)
	d.printf(`<desc id="%s-desc">%s</desc>`, c.ID, c.Desc)
	for v := 0.0; v <= d.highest+step/2; v += step {
		y := top + plotHeight - d.length(v)
		d.printf(`<line class="chart-grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, left, width-right, y, y)
		d.printf(`<text class="chart-text" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left-5, y+3.5, c.Scale.Text(v))
	}
	c.labels(d)
	return d
}

// labels renders as many labels as fit, including the last.
func (c Chart) labels(d *drawing) {
	n := len(c.Labels)
	every := (n + mostLabels - 1) / mostLabels
	slot := plotWidth / float64(max(n, 1))
	for i, label := range c.Labels {
		if (n-1-i)%max(every, 1) == 0 {
			d.printf(`<text class="chart-text" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`,
				left+slot*(float64(i)+.5), height-7, label)
		}
	}
}

func (d *drawing) end() template.HTML {
	d.b.WriteString("</svg>")
	return template.HTML(d.b.String()) //nolint:gosec // printf escapes every text
}

// step returns the distance of grid lines: the smallest with at most mostLines of them.
func (s Scale) step(highest float64) float64 {
	for _, step := range s.Steps {
		if highest <= step*mostLines {
			return step
		}
	}
	last := s.Steps[len(s.Steps)-1]
	step := last
	for highest > step*mostLines {
		step += last
	}
	return step
}
