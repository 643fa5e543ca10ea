package desk

import "time"

// MaxSuggestion is the length of a suggestion, in characters.
const MaxSuggestion = 4000

// Suggestion is what somebody would do better.
type Suggestion struct {
	ID   int64
	From *Ref // nil: a visitor
	Body string
	At   time.Time // a whole second, UTC
	Read time.Time // zero: nobody has
}
