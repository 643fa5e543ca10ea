package page

// LookAtOnce makes streams look before each event whether their session lives.
func (e *Engine) LookAtOnce() { e.lookAgain = 0 }

// MostStreams is how many one person may have open.
const MostStreams = maxStreams

// FormBegins finds the forms that are stamped.
var FormBegins = formBegins
