package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The headers of a call.
const (
	HeaderEvent     = "Supportdesk-Event"     // ID of the event, the same for every try; receivers may ignore duplicates
	HeaderTimestamp = "Supportdesk-Timestamp" // when this try was signed, in seconds since 1970
	HeaderSignature = "Supportdesk-Signature" // "v1=" and the HMAC in hexadecimal; more may follow, separated by commas
)

// message is the body of a call. It contains no text and no names of people, which are for signed-in staff only.
type message struct {
	Event          string           `json:"event"` // as in HeaderEvent
	Kind           ticket.EventKind `json:"kind"`
	Ticket         ticket.Number    `json:"ticket"`
	Clock          policy.ClockName `json:"clock"`
	EscalationStep int              `json:"escalation_step"`
	Priority       policy.Priority  `json:"priority"`
	Promised       time.Time        `json:"promised"` // the deadline that passed
	Due            time.Time        `json:"due"`      // when the escalation step was due
	Fired          time.Time        `json:"fired"`    // when it was carried out
	URL            string           `json:"url"`      // the ticket, for staff who sign in
}

// eventID returns the unique ID of an event. It contains the epoch, because numbers of a timeline may repeat after the
// database was restored from a backup.
func eventID(c desk.WebhookCall) string {
	if c.Epoch == 0 {
		return fmt.Sprintf("%s-%d", c.Number, c.Event)
	}
	return fmt.Sprintf("%s-%d-%d", c.Number, c.Event, c.Epoch)
}

func body(c desk.WebhookCall, site string) ([]byte, error) {
	return json.Marshal(message{
		Event: eventID(c), Kind: ticket.EventEscalated, Ticket: c.Number, Clock: c.Clock, EscalationStep: c.EscalationStep, Priority: c.Priority,
		Promised: c.Breached.UTC(), Due: c.Due.UTC(), Fired: c.Fired.UTC().Truncate(time.Second),
		URL: site + "/desk/tickets/" + string(c.Number),
	})
}

// sign sets the headers of a call, including its signature.
func sign(h http.Header, secret, event string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Supportdesk")
	h.Set(HeaderEvent, event)
	h.Set(HeaderTimestamp, timestamp)
	h.Set(HeaderSignature, "v1="+Signature(secret, timestamp, body))
}

// Signature returns the HMAC-SHA256 of timestamp, a dot and body, in hexadecimal.
func Signature(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
