// Package smtpreply converts errors to replies of an SMTP server. It knows nothing of mails and where they are stored.
package smtpreply

import (
	"errors"
	"syscall"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// For returns the reply to a client whose mail was not accepted because of err; nil for nil. An *smtp.SMTPError, a TooLarge fault and a
// line that is too long concern the mail, so they are permanent. Any other error is a temporary failure on our side, so that the sender
// keeps the mail and tries again; by default go-smtp replies with 554.
func For(err error) *smtp.SMTPError {
	switch refused, ok := errors.AsType[*smtp.SMTPError](err); {
	case err == nil:
		return nil
	case ok:
		return refused
	case fault.KindOf(err) == fault.TooLarge:
		return smtp.ErrDataTooLarge
	case errors.Is(err, smtp.ErrTooLongLine):
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "a line of the mail is too long"}
	}
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return temporary(452, smtp.EnhancedCode{4, 3, 1})
		}
	}
	return temporary(451, smtp.EnhancedCode{4, 3, 0})
}

func temporary(code int, enhanced smtp.EnhancedCode) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "the mail could not be stored; try again later"}
}
