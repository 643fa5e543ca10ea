package report_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/report"
)

func TestScores_average(t *testing.T) {
	s := report.Scores{1, 0, 0, 0, 3}
	if average, ok := s.Average(); !ok || average != 4 || s.Count() != 4 {
		t.Errorf("got %v of %d", average, s.Count())
	}
	if _, ok := (report.Scores{}).Average(); ok {
		t.Error("no ratings have an average")
	}
}
