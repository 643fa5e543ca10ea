package scan

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/fault"
)

func FuzzParse(f *testing.F) {
	f.Add("stream: Desk.Test FOUND")
	f.Add("INSTREAM size limit exceeded. ERROR")
	f.Add(`{"action":"reject","score":15,"required_score":15,"symbols":{"GTUBE":{"metric_score":0}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (Verdict, error){parseReply, func(s string) (Verdict, error) { return parseAnswer([]byte(s)) }} {
			v, err := parse(text)
			if err != nil && (v != Verdict{} || fault.KindOf(err) != fault.Unavailable && fault.KindOf(err) != fault.TooLarge) {
				t.Errorf("%q: %+v, %v", text, v, err)
			}
			if err == nil && (v.Kind == "" || v.Name != "" && !printable(v.Name, maxName)) {
				t.Errorf("%q: %+v", text, v)
			}
		}
	})
}
