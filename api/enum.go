package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Enumerations of the domain as input. huma validates against the values in their schemas.
type (
	queueName    string
	statusName   string
	priorityName string

	emergencyKind string
)

// Schema lists the queues.
func (queueName) Schema(huma.Registry) *huma.Schema { return oneOf(desk.Queues()) }

// Schema lists the statuses.
func (statusName) Schema(huma.Registry) *huma.Schema { return oneOf(ticket.Statuses()) }

// Schema lists the priorities.
func (priorityName) Schema(huma.Registry) *huma.Schema { return oneOf(policy.Priorities()) }

// Schema lists the kinds of emergencies.
func (emergencyKind) Schema(huma.Registry) *huma.Schema { return oneOf(ticket.EmergencyKinds()) }

func oneOf[T ~string](words []T) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, word := range words {
		schema.Enum = append(schema.Enum, string(word))
	}
	return schema
}
