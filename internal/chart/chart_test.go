package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/chart"
)

func example() chart.Chart {
	return chart.Chart{
		ID: "kept", Title: `First responses <kept> & "broken"`, Desc: "Four of five.", Labels: []string{"2 Nov", "9 Nov", "16 Nov"},
		Series: []chart.Series{
			{Name: "kept", Class: "chart-good", Values: []float64{30, 0, 10}},
			{Name: "broken", Class: "chart-bad", Values: []float64{10, 0, math.NaN()}},
		},
		Scale: chart.CountScale(),
	}
}

// read parses a drawing, as XML too: a browser that meets it as an image is strict.
func read(t *testing.T, svg string) *goquery.Document {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(svg))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func number(t *testing.T, s *goquery.Selection, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s.AttrOr(name, ""), 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func TestBars_areAsTallAsTheirValuesAndStandOnEachOther(t *testing.T) {
	doc := read(t, string(example().Bars()))
	bars := doc.Find("rect")
	if bars.Length() != 3 {
		t.Fatalf("%d bars, want 3: none for nothing", bars.Length())
	}
	kept, broken, last := bars.Eq(0), bars.Eq(1), bars.Eq(2)
	if k, b, l := number(t, kept, "height"), number(t, broken, "height"), number(t, last, "height"); math.Abs(k-3*b) > .3 || math.Abs(l-b) > .1 {
		t.Errorf("30, 10 and 10 are %v, %v and %v tall", k, b, l)
	}
	if foot := number(t, broken, "y") + number(t, broken, "height"); math.Abs(foot-number(t, kept, "y")) > .2 {
		t.Errorf("the second stands at %v, the first ends at %v", foot, number(t, kept, "y"))
	}
	if got := broken.Find("title").Text(); got != "2 Nov, broken: 10" {
		t.Errorf("it says %q", got)
	}
}

func TestCharts_tellWhatTheyShowAndSetNoStyle(t *testing.T) {
	for name, svg := range map[string]string{"bars": string(example().Bars()), "lines": string(example().Lines())} {
		doc := read(t, svg)
		root := doc.Find("svg")
		if root.AttrOr("role", "") != "img" || root.AttrOr("aria-labelledby", "") != "kept-title kept-desc" ||
			doc.Find("#kept-title").Text() != `First responses <kept> & "broken"` || doc.Find("#kept-desc").Text() != "Four of five." {
			t.Errorf("%s: %s", name, svg)
		}
		if doc.Find("[style], [fill], [stroke], [font-size]").Length() > 0 {
			t.Errorf("%s set a style", name)
		}
		if got := doc.Find("text").Last().Text(); got != "16 Nov" {
			t.Errorf("%s: the last label is %q", name, got)
		}
	}
}

func TestLines_areInterruptedWhereNothingIs(t *testing.T) {
	c := example()
	c.Series = []chart.Series{{Name: "median", Class: "m", Values: []float64{60, math.NaN(), 7200}}}
	c.Scale = chart.DurationScale()
	doc := read(t, string(c.Lines()))
	if d := doc.Find("path").AttrOr("d", ""); strings.Count(d, "M") != 2 || strings.Contains(d, "L") {
		t.Errorf("the line is %q", d)
	}
	if got := doc.Find("circle title").Last().Text(); got != "16 Nov, median: 2 h" {
		t.Errorf("it says %q", got)
	}
}

func TestCharts_ofNothing(t *testing.T) {
	c := chart.Chart{ID: "none", Title: "Nothing", Desc: "Nothing.", Scale: chart.CountScale()}
	read(t, string(c.Bars()))
	read(t, string(c.Lines()))
}

func TestScale_hasFewLinesThatReachTheTop(t *testing.T) {
	for _, highest := range []float64{0, 1, 5, 6, 11, 49, 51, 1234, 99_999, 4e9} {
		for name, scale := range map[string]chart.Scale{"counts": chart.CountScale(), "durations": chart.DurationScale()} {
			c := chart.Chart{ID: "x", Labels: []string{"a"}, Series: []chart.Series{{Values: []float64{highest}}}, Scale: scale}
			doc := read(t, string(c.Bars()))
			if lines := doc.Find("line.chart-grid").Length(); lines < 2 || lines > 6 {
				t.Errorf("%s up to %v: %d lines", name, highest, lines)
			}
			if bar := doc.Find("rect"); bar.Length() > 0 && number(t, bar, "y") < 7.9 {
				t.Errorf("%s up to %v: the bar leaves the plot at %v", name, highest, number(t, bar, "y"))
			}
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 61 * time.Second: "1 min 1 s", time.Hour: "1 h",
		200 * time.Minute: "3 h 20 min", 24 * time.Hour: "1 d", 52*time.Hour + time.Minute: "2 d 4 h",
	} {
		if got := chart.FormatDuration(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}
