package desk

import "time"

// Publication is a policy document that is to become the next version.
type Publication struct {
	Document  []byte // YAML
	Author    string // the ID of somebody, or what published it when nobody the desk knows did
	Reason    string
	Effective time.Time // from when it is in force for new tickets, to the second; zero: from now on
	Once      Once
}

// Published answers a publication.
type Published struct {
	Version   int64
	Effective time.Time
	At        time.Time // when it was published
	Again     bool      // published before, under the same key
}
