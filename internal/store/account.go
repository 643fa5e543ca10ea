package store

// Accounts keeps how people come in, for internal/account: passwords, links, allowances, tokens and mails.
type Accounts struct{ *Store }

// Accounts gives the place where accounts are kept.
func (s *Store) Accounts() *Accounts { return &Accounts{Store: s} }
