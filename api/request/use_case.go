package request

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The interfaces below are the use cases of internal/app that the API and pages share. A package declares the
// interfaces that it alone needs.

// Commander accepts commands and waits for their outcomes; see app.Tickets.
type Commander interface {
	Command(context.Context, desk.Person, desk.Request) (desk.Accepted, ticket.Outcome, bool, error)
}

// Acceptor accepts submissions and ratings of requesters.
type Acceptor interface {
	Commander
	Submit(context.Context, desk.Person, desk.Submission) (desk.Receipt, error)
	Rate(context.Context, desk.Person, desk.Rating) (desk.Rating, error)
}

// TicketReader reads tickets as the viewer may see them.
type TicketReader interface {
	Ticket(context.Context, desk.Person, ticket.Number) (desk.View, error)
	List(context.Context, desk.Filter) ([]desk.View, bool, error)
	Timeline(context.Context, desk.Person, ticket.Number) ([]desk.Entry, error)
}

// Tracker reads what a ticket's number alone reveals.
type Tracker interface {
	Track(context.Context, ticket.Number) (desk.Tracking, error)
}

// RatingReader reads the rating of a ticket, and returns a NotFound fault if it has none.
type RatingReader interface {
	Rating(context.Context, desk.Person, ticket.Number) (desk.Rating, error)
}

// PolicyReader reads the policy in force.
type PolicyReader interface {
	PolicyInForce(context.Context) (version int64, p *policy.Policy, document []byte, err error)
}

// Feed sends changes of a ticket, or of all tickets if the number is empty, until leave is called.
type Feed interface {
	Subscribe(ticket.Number) (changes <-chan desk.Change, leave func())
}

// NoticeReader reads the notices of emergencies that are in force or planned.
type NoticeReader interface {
	Notices(context.Context) ([]desk.Notice, error)
}

// Emergencies are the use cases of emergencies for supervisors; see app.Emergencies.
type Emergencies interface {
	EmergencyChanger
	EmergencyDryRunner
	EmergencyReader
}

// EmergencyChanger declares, changes and ends emergencies.
type EmergencyChanger interface {
	Declare(context.Context, desk.Person, desk.EmergencyPlan) (desk.Emergency, error)
	Change(context.Context, desk.Person, ticket.EmergencyID, desk.EmergencyChange) (desk.Emergency, error)
	End(context.Context, desk.Person, ticket.EmergencyID) (desk.Emergency, error)
}

// EmergencyDryRunner computes the effect of a change without making it.
type EmergencyDryRunner interface {
	DryDeclare(context.Context, desk.Person, desk.EmergencyPlan) (desk.DryRun, error)
	DryChange(context.Context, desk.Person, ticket.EmergencyID, desk.EmergencyChange) (desk.DryRun, error)
	DryEnd(context.Context, desk.Person, ticket.EmergencyID) (desk.DryRun, error)
}

// EmergencyReader reads emergencies, and how far the open tickets have been notified.
type EmergencyReader interface {
	List(context.Context, desk.Person) ([]desk.Emergency, error)
	Current(context.Context) ([]desk.Emergency, error)
	File(context.Context, desk.Person, ticket.EmergencyID) (desk.EmergencyFile, error)
	Fanout(context.Context) (desk.Fanout, bool, error)
}

// Policies are the use cases of policies for supervisors; see app.Policies.
type Policies interface {
	PolicyPublisher
	PolicyAdopter
}

// PolicyPublisher lists, checks and publishes versions of the policy.
type PolicyPublisher interface {
	PolicyVersions(context.Context) ([]desk.PolicyVersionRecord, error)
	CheckDraft(ctx context.Context, document []byte, now time.Time) (desk.Draft, error)
	Publish(context.Context, desk.Person, desk.Publication) (desk.Published, error)
}

// PolicyAdopter moves open tickets to another version.
type PolicyAdopter interface {
	DryRun(ctx context.Context, version int64, c desk.TicketChoice, now time.Time) (desk.AdoptionDryRun, error)
	Adopt(ctx context.Context, by desk.Person, version int64, c desk.TicketChoice, once desk.IdempotencyKey) (desk.Adoption, error)
	Audit(ctx context.Context, version int64) (desk.AdoptionAudit, error)
}

// StaffReader lists the staff to whom tickets can be assigned; see app.Staffing.
type StaffReader interface {
	Staff(context.Context) ([]desk.Colleague, error)
}

// Absences marks colleagues, by handle or ID, as away and as back.
type Absences interface {
	SetAway(ctx context.Context, by desk.Person, handleOrID string, until time.Time) (desk.Colleague, error)
	SetAvailable(ctx context.Context, by desk.Person, handleOrID string) (desk.Colleague, error)
}

// Groups are the groups that assignment rules assign tickets to.
type Groups interface {
	GroupReader
	GroupMembers
	CreateGroup(ctx context.Context, by desk.Person, handle, title string) error
	RenameGroup(ctx context.Context, by desk.Person, handle, title string) error
	DeleteGroup(ctx context.Context, by desk.Person, handle string) error
}

// GroupReader lists the groups.
type GroupReader interface {
	Groups(context.Context, desk.Person) ([]desk.Group, error)
}

// GroupMembers adds and removes members, by handle or ID.
type GroupMembers interface {
	AddToGroup(ctx context.Context, by desk.Person, group, handleOrID string) error
	RemoveFromGroup(ctx context.Context, by desk.Person, group, handleOrID string) error
}

// Files uploads, serves and deletes the files of messages; see app.Files.
type Files interface {
	FileUploader
	Open(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.FileContent, error)
	Preview(ctx context.Context, viewer desk.Person, id desk.FileID) (desk.FileContent, error)
	Delete(ctx context.Context, by desk.Person, id desk.FileID) (desk.File, error)
}

// FileUploader uploads files, which can then be sent with a message.
type FileUploader interface {
	Limits() desk.FileLimits
	Upload(context.Context, desk.Person, desk.Upload) (desk.File, error)
	Describe(ctx context.Context, by desk.Person, id desk.FileID, alt string) error
}

// IncomingMails are incoming mails for staff; see app.IncomingReview.
type IncomingMails interface {
	List(context.Context, desk.Person, desk.IncomingFilter) (page []desk.IncomingMail, more bool, err error)
	Mail(context.Context, desk.Person, int64) (desk.IncomingMail, desk.MailContents, error)
	Raw(context.Context, desk.Person, int64) (desk.FileContent, error)
	Release(context.Context, desk.Person, int64) error
	Delete(context.Context, desk.Person, int64) error

	// Blocked returns the senders whose mails are only recorded.
	Blocked(context.Context, desk.Person) ([]desk.BlockedSender, error)
	Block(ctx context.Context, by desk.Person, sender string) error
	Unblock(ctx context.Context, by desk.Person, sender string) error
}
