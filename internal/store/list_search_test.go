package store_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// TestList_findsTheSameWhateverTheNumberOfHits: rare, middling and common words are searched for in different ways.
func TestList_findsTheSameWhateverTheNumberOfHits(t *testing.T) {
	d := open(t)
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category, next_due, owed_at)
		SELECT 'HM-' || lpad(i::text, 10, '0'), CASE WHEN i % 100 < 50 THEN $1 ELSE $2 END, 1, at, at, at, 1, 'open', 'normal', 'order', at, at
		FROM generate_series(1, 5000) i, LATERAL (SELECT date_trunc('second', now()) - (i * 7919 % 5000) * interval '90 seconds' AS at) _`,
		d.customer.ID, d.other.ID)
	d.sql(`INSERT INTO messages (ticket, subject, body)
		SELECT number, 'Parcel', 'common ' || CASE WHEN i % 2 = 0 THEN 'some ' ELSE '' END || CASE WHEN i % 20 = 0 THEN 'rare' ELSE '' END
		FROM (SELECT number, right(number, 10)::int AS i FROM tickets) t`)
	d.sql(`INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message)
		SELECT number, 1, 'submit', requester, 'customer', submitted_at, m.id FROM tickets JOIN messages m ON m.ticket = number`)
	for word, every := range map[string]int{"rare": 20, "some": 2, "common": 1} {
		for order, f := range map[string]desk.Filter{
			"owed_at, number":                 {Viewer: d.agent, Order: desk.OrderPromise},
			"submitted_at DESC, number DESC":  {Viewer: d.customer},
			"submitted_at DESC, number DESC ": {Viewer: d.other},
		} {
			f.Text, f.Limit = word, 30
			records, more, err := d.List(t.Context(), f)
			if err != nil || len(records) != 30 || !more {
				t.Fatalf("%s by %s: %d tickets, %v, %v", word, f.Viewer.Role, len(records), more, err)
			}
			for i, r := range records {
				if want := one[string](d, `SELECT number FROM tickets WHERE right(number, 10)::int % $1 = 0 AND ($2 OR requester = $3)
					ORDER BY `+order+` OFFSET $4 LIMIT 1`, every, f.Viewer.Role.Staff(), f.Viewer.ID, i); string(r.Number) != want {
					t.Fatalf("%s by %s: ticket %d is %s, want %s", word, f.Viewer.Role, i, r.Number, want)
				}
			}
		}
	}
}
