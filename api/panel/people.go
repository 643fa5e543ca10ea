package panel

import (
	"net/url"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// personView is a person of the open ticket.
type personView struct {
	desk.Involved
	Requester bool
}

// newPeople returns who is in a ticket, the requester first.
func newPeople(record desk.View) []personView {
	people := make([]personView, 0, len(record.People))
	for _, p := range record.People {
		people = append(people, personView{p, p.ID == record.Requester.ID})
	}
	return people
}

// personDraft is what was typed into one of the forms about people.
type personDraft struct {
	Form          string // the form's path
	Person        ticket.PersonID
	Address, Name string
}

// typedPerson returns what was typed into a form about people.
func typedPerson(path string, form url.Values) personDraft {
	return personDraft{
		Form: path, Person: ticket.PersonID(form.Get("contact")),
		Address: form.Get("person") + form.Get("address"), Name: form.Get("name"),
	}
}

// In returns what was typed if it was typed into the form with the path, and about the person if there is one.
func (d personDraft) In(path string, person ticket.PersonID) personDraft {
	if d.Form != path || d.Person != person {
		return personDraft{}
	}
	return d
}

// correctContact corrects the address of a contact who is in the ticket.
func (p *Pages) correctContact(v *page.Visit, n ticket.Number, form url.Values) error {
	typed := draft{person: typedPerson("contact", form)}
	record, err := p.desk.Ticket(v.Context(), v.Person, n)
	if err != nil {
		return err
	}
	var f input.Fields
	address := f.Line("address", form.Get("address"), desk.MaxAddress)
	if !record.Ticket.Involves(typed.person.Person) {
		f.Reject("contact", "is not in the ticket any more")
	}
	if err = f.Err(); err == nil {
		err = p.workspace.CorrectContact(v.Context(), v.Person, typed.person.Person, address)
	}
	if err != nil {
		return p.respondError(v, n, typed, err)
	}
	return p.showAnswer(v, n, 200, draft{}, false, "The address is "+address+" now. Links in earlier emails to this person no longer work.")
}

// recipientsView says to whom a public message of the composer goes.
type recipientsView struct {
	Number ticket.Number
	To     desk.Involved
	Cc     []desk.Involved
	Swap   bool
}

func newRecipients(record desk.View) recipientsView {
	r := recipientsView{Number: record.Number}
	for _, p := range record.People {
		if p.ID == record.Requester.ID {
			r.To = p
		} else {
			r.Cc = append(r.Cc, p)
		}
	}
	return r
}
