package page

// LookAtOnce makes streams check their session before each event.
func (e *Engine) LookAtOnce() { e.sessionCheckInterval = 0 }

// MostStreams is how many one person may have open.
const MostStreams = maxStreams

// FormBegins finds the forms that are stamped.
var FormBegins = formBegins

// Short is the template function short.
var Short = short
