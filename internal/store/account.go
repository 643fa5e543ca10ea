package store

// Accounts stores what internal/account needs to authenticate people: passwords, links, rate limits, tokens and mails.
type Accounts struct{ *Store }

// Accounts returns a view of the store for internal/account.
func (s *Store) Accounts() *Accounts { return &Accounts{Store: s} }
