package app

import (
	"context"
	"errors"
	"io"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fileOpener opens files; see Files.
type fileOpener interface {
	Open(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.FileContent, error)
}

// addFiles adds the content of a message's files to those of a mail to the requester, if all of them are small enough to be
// attached, and otherwise links that are valid from the mail's event on. Of deleted files only the names remain. A file that
// can't be read now is a link too, so that the message does not wait for it.
func (m *Mails) addFiles(ctx context.Context, files []desk.MailFile, mail StoredMail) (err error) {
	attach := m.files != nil && totalSize(files) <= m.most
	for i := range files {
		f := &files[i]
		if f.Deleted != nil {
			continue
		}
		if attach {
			if f.Content, err = m.read(ctx, f.File, mail.Person); err == nil {
				continue
			}
			if ctx.Err() != nil {
				return err
			}
		}
		if f.Token, err = m.store.FileLink(ctx, f.ID, mail.Person, mail.Owed); err != nil {
			return err
		}
	}
	return nil
}

func totalSize(files []desk.MailFile) (total int64) {
	for _, f := range files {
		if f.Deleted == nil {
			total += f.Size
		}
	}
	return total
}

// read returns the content of a file as a customer may see it.
func (m *Mails) read(ctx context.Context, f desk.File, reader ticket.PersonID) (content []byte, err error) {
	opened, err := m.files.Open(ctx, desk.Person{ID: reader, Role: ticket.RoleCustomer}, f.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	content = make([]byte, opened.Size)
	_, err = io.ReadFull(opened, content)
	return content, err
}
