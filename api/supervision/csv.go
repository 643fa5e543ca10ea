package supervision

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/report"
)

// promisesCSV encodes a report according to RFC 4180: one record for each row of each table, and one for the entire
// period.
func promisesCSV(r report.Promises) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	records := [][]string{{
		"promise", "by", "of", "met", "breached", "pending", "cancelled", "met_share", "delivered", "median_seconds", "p90_seconds",
	}}
	for _, c := range r.Clocks {
		add := func(by, of string, t report.Tally) {
			records = append(records, append([]string{string(c.Clock), by, escapeFormula(of)}, tallyFields(t)...))
		}
		add("all", "", c.Total)
		for _, l := range c.Weeks {
			add("week", l.Week.In(r.Zone).Format(time.DateOnly), l.Tally)
		}
		for _, l := range c.Priorities {
			add("priority", string(l.Priority), l.Tally)
		}
		for _, l := range c.Categories {
			add("category", l.Category, l.Tally)
		}
		for _, l := range c.Agents {
			add("agent", agentName(l.Agent), l.Tally)
		}
	}
	if err := w.WriteAll(records); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return b.Bytes(), nil
}

// tallyFields formats a tally; missing values are empty.
func tallyFields(t report.Tally) []string {
	values := []string{strconv.Itoa(t.Met), strconv.Itoa(t.Breached), strconv.Itoa(t.Pending), strconv.Itoa(t.Cancelled), "", strconv.Itoa(t.Delivered), "", ""}
	if share, ok := t.Share(); ok {
		values[4] = strconv.FormatFloat(share, 'f', 4, 64)
	}
	if t.Delivered > 0 {
		values[6] = strconv.FormatInt(int64(t.Median/time.Second), 10)
		values[7] = strconv.FormatInt(int64(t.P90/time.Second), 10)
	}
	return values
}

// formulas are the characters that a spreadsheet treats as the start of a formula, including full-width ones.
const formulas = "=+-@\t\r\n|%＝＋－＠"

// escapeFormula prevents a spreadsheet from evaluating a name.
func escapeFormula(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune(formulas, first) {
		return "'" + text
	}
	return text
}
