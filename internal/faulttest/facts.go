package faulttest

import "time"

// Acknowledged is what clients were told that the desk has accepted.
type Acknowledged struct {
	Words   []Word
	Keys    []string // Idempotency-Keys of commands without words
	Letters []Letter
	Files   map[string]string // the hash of a file's bytes by its ID
	Refused []string          // tokens of messages that were refused; the desk may have stored them
}

// Word is a message that was acknowledged. Its token is found in nothing else.
type Word struct {
	Token  string
	Ticket string
	To     string // the address to which it has to be sent; empty: none
}

// Letter is an email that the desk replied 250 to.
type Letter struct {
	ID, Token string // its Message-ID, and a word of its text
	Ticket    string // that it replies to; empty: it opens one
	Raw       []byte
}

// Facts are what the desk, its database, its Temporal and its recipients hold after all faults have ended and all work is done.
type Facts struct {
	Tickets     []Ticket
	Messages    []Message
	Keys        map[string]int // the number of commands by Idempotency-Key
	Events      []Event
	Deliveries  []Delivery
	Received    []Mail // in order of arrival
	Incoming    []Incoming
	Emergencies []Emergency
	Files       map[string]string        // the hash of a file's bytes by its ID; absent: it can't be read
	Doctor      []string                 // what the command doctor reports
	Canaries    []string                 // where Temporal's database holds personal data
	Steps       []time.Duration          // the policy's escalation, from the breach on
	Targets     map[string]time.Duration // and its targets by clock
	Reminders   map[string]time.Duration // and by clock after what use of the budget it reminds
	Faults      []Fault
}

// Ticket is a ticket as the API shows it, and its workflow.
type Ticket struct {
	Number, Status string
	Follows        string // the closed ticket that it follows up on; empty: none
	Submitted      time.Time
	Next           time.Time // its next due event; zero: none
	Undecided      int       // commands
	Running        bool      // its workflow
	Clocks         map[string]Clock
}

// Clock is a ticket's clock as the API explains it.
type Clock struct {
	Budget, Used, Remaining time.Duration
	Explained               time.Duration // the sum of the lines of the explanation
	UsedWhilePaused         time.Duration // of the lines during which the clock is paused
	Due                     time.Time
	MetAt                   time.Time // zero: not met
	Running, Breached       bool
}

// Message is a message of a ticket.
type Message struct {
	Ticket, Body string
	Entries      int  // of the timeline that show it
	Refused      bool // its command
}

// Event is an entry of a timeline.
type Event struct {
	Ticket       string
	N            int
	Kind         string
	At, Recorded time.Time
	Clock        string
	Step         int
	Emergency    string
	Status       string
	Answers      bool
}

// Delivery is an email or webhook call that the desk owes or owed.
type Delivery struct {
	Queue     string
	Ticket    string
	N         int64
	Status    string
	Recipient string // an address
	Kind      string
}

// Mail is an email that a recipient received.
type Mail struct {
	ID, To, Text string
	At           time.Time
}

// Incoming is an email that the desk stored.
type Incoming struct {
	ID, Status string // its Message-ID, and what became of it
	Raw        []byte // what was stored, after the lines that the desk has added
}

// Emergency is a closure of the desk, during which clocks are paused.
type Emergency struct {
	ID         string
	Start, End time.Time
}
