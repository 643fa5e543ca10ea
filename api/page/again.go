package page

import "net/url"

// Recently is an access for whom it allows and who have signed in a short while ago. The others are asked to sign in
// again, and are led back to the page of the form then.
func Recently(a Access, form string) Access {
	a.Who, a.form = a.Who+" They must have signed in within the last 15 minutes.", form
	return a
}

// SignInAgain keeps what was posted, and leads to where one signs in again and from there back to the form's page: the
// one that it was shown on, or else the given one. Nothing of what was posted is done.
func (v *Visit) SignInAgain(page string) error {
	if _, err := v.typed(); err != nil {
		return err
	}
	if v.writer == "" {
		v.writer, v.mayKeep = v.Person.ID, true
	}
	if v.writtenOn == "" {
		v.writtenOn = page
	}
	v.keep()
	return v.leave("/sign-in/again?next=" + url.QueryEscape(v.writtenOn))
}
