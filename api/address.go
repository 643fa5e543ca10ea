package api

import (
	"context"
	"errors"
	"slices"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// addresses are the email addresses of people's own accounts.
type addresses interface {
	Profile(ctx context.Context, who desk.Person) (account.Profile, error)
	AddAddress(ctx context.Context, source string, who desk.Person, proof account.Proof, address string) error
	SetPrimaryAddress(ctx context.Context, source string, who desk.Person, proof account.Proof, address string) error
	RemoveAddress(ctx context.Context, source string, who desk.Person, proof account.Proof, address string) error
}

// contacts are customers without an account.
type contacts interface {
	CorrectContact(ctx context.Context, by desk.Person, id ticket.PersonID, address string) error
}

type addressesView struct {
	Primary string   `json:"primary" doc:"Emails go here."`
	Further []string `json:"further" doc:"In alphabetical order. Emails from them are recognized as yours, too."`
}

type ownAddressBody struct {
	Address  string `json:"address"`
	Password string `json:"current_password,omitempty" doc:"Required. People without a password use the website."`
}

type contactInput struct {
	ID   string `path:"id" doc:"The contact's ID."`
	Body struct {
		Address string `json:"address" doc:"The contact's email address."`
	}
}

type contactView struct {
	ID      ticket.PersonID `json:"id"`
	Address string          `json:"address"`
}

func (s *server) listAddresses(ctx context.Context, _ *struct{}) (view addressesView, err error) {
	p, err := s.Accounts.Profile(ctx, request.Of(ctx).Person)
	return addressesView{p.Person.Address, append([]string{}, p.Addresses...)}, err
}

// addAddress sends the link that adds the address. The response is the same if someone else has it.
func (s *server) addAddress(ctx context.Context, in *bodyOf[ownAddressBody]) (addressesView, error) {
	return s.changeAddresses(ctx, in.Body, s.Accounts.AddAddress)
}

func (s *server) setPrimaryAddress(ctx context.Context, in *bodyOf[ownAddressBody]) (addressesView, error) {
	return s.changeAddresses(ctx, in.Body, s.Accounts.SetPrimaryAddress)
}

func (s *server) removeAddress(ctx context.Context, in *bodyOf[ownAddressBody]) (addressesView, error) {
	return s.changeAddresses(ctx, in.Body, s.Accounts.RemoveAddress)
}

func (s *server) changeAddresses(ctx context.Context, typed ownAddressBody, change func(context.Context, string, desk.Person, account.Proof, string) error) (view addressesView, err error) {
	v := request.Of(ctx)
	var f input.Fields
	address := f.Line("address", typed.Address, desk.MaxAddress)
	if err := f.Err(); err != nil {
		return view, err
	}
	if err := change(ctx, v.Source, v.Person, account.Proof{Current: typed.Password}, address); err != nil {
		return view, currentPassword(err)
	}
	return s.listAddresses(ctx, nil)
}

// currentPassword returns an error with the name that the field of the current password has in bodies.
func currentPassword(err error) error {
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	renamed := *refused
	renamed.Details = slices.Clone(refused.Details)
	for i := range renamed.Details {
		if renamed.Details[i].Field == "current" {
			renamed.Details[i].Field = "current_password"
		}
	}
	return &renamed
}

func (s *server) correctContact(ctx context.Context, in *contactInput) (view contactView, err error) {
	var f input.Fields
	address := f.Line("address", in.Body.Address, desk.MaxAddress)
	if err := f.Err(); err != nil {
		return view, err
	}
	id := ticket.PersonID(in.ID)
	return contactView{id, address}, s.Contacts.CorrectContact(ctx, request.Of(ctx).Person, id, address)
}
