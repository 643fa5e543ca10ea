package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/store"
)

// A customer who wrote from another address before adds it to their account: the tickets from there are theirs, open and closed,
// and their workflows go on.
func TestAddress_ofAContactBringsTheContactsTickets(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	const contact = "at-home@demo.example"
	submit := func() string {
		return s.agent.must(http.StatusCreated, http.MethodPost, "/tickets", words{
			"subject": "My parcel is late", "body": "It was due last week.", "requester": words{"person": contact, "name": "Demo At Home"},
		}).number(t)
	}
	open, closed, joined := submit(), submit(), s.other.submit("Our parcel is late", "Also last week.")
	s.agent.do(open, "information-requests", words{"body": "Which colour has the parcel?", "recipients": "requester"})
	s.agent.do(closed, "closure", nil)
	s.awaitEnded(closed)
	for _, person := range []string{contact, "customer@demo.example"} {
		s.agent.do(joined, "participants", words{"person": person})
	}
	s.customer.must(http.StatusNotFound, http.MethodGet, "/tickets/"+open, nil)

	db, err := store.Open(t.Context(), s.database, store.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	accounts := account.New(db.Accounts(), s.base)
	customer, err := db.PersonByAddress(t.Context(), "customer@demo.example")
	if err != nil {
		t.Fatal(err)
	}
	s.worker.kill() // before it can carry out the merge
	if err := accounts.AddAddress(t.Context(), "192.0.2.1", customer, account.Proof{Recent: true}, contact); err != nil {
		t.Fatal(err)
	}
	s.worker.start()
	var link string
	eventually(t, "the link that confirms the address", func() (bool, string) {
		for _, m := range s.mails.Messages() {
			if slices.Contains(m.To, contact) && strings.Contains(m.Text, "Add this address") {
				link = mailedLink.FindString(m.Text)
			}
		}
		return link != "", ""
	})
	if _, err := accounts.ConfirmAddress(t.Context(), customer, link[strings.LastIndex(link, "/")+1:]); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{open, closed, joined} {
		eventually(t, "the merge of "+number, func() (bool, string) {
			got, err := s.customer.try(http.MethodGet, "/tickets/"+number, "", nil)
			if err != nil {
				return false, err.Error()
			}
			merged := slices.Contains(kinds(s.agent.timeline(number)), "person-merged")
			return merged && got.status == http.StatusOK && !strings.Contains(string(got.body), "Demo At Home"), string(got.body)
		})
	}
	s.customer.do(open, "replies", words{"body": "It is red."})
	s.agent.do(open, "resolution", words{"body": "It has arrived."})
	s.customer.do(open, "confirmation", nil)
	s.awaitEnded(open)
	eventually(t, "the resolution's email", func() (bool, string) {
		to := ""
		for _, m := range s.mailsTo("customer@demo.example", open) {
			to += m.Text
		}
		return strings.Contains(to, "It has arrived."), to
	})
	if p, err := db.PersonByAddress(t.Context(), contact); err != nil || p.ID != customer.ID {
		t.Errorf("mail from the address is that of %+v, %v", p, err)
	}
	if _, err := db.EnsureContact(t.Context(), "", "Somebody", contact); err != nil {
		t.Error(err)
	}
	s.diagnosed()
	s.checkTemporal(open)
}
