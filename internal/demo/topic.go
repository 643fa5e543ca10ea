package demo

// topic is a matter that customers write about, and what is said of it. {order}, {product}, {amount}, {day}, {days} and
// {n} are filled in.
type topic struct {
	category string
	order    bool // it is about an order, which has a number
	subjects []string
	openings []string // the one that fits a subject has its index, modulo their number
	answers  []string // the first, and the next
	question string   // what the agent has to know
	detail   string   // what the customer then says
	news     []string
	fixes    []string
}

var (
	products = []string{
		"a box of 48 ring binders", "12 folding chairs", "the garden hose set", "20 kg of coffee beans", "a label printer",
		"6 desk lamps", "the stainless kettle", "a pallet of copy paper", "40 storage crates", "the cordless drill",
		"a case of olive oil", "8 office chairs", "the water filter jugs", "100 tote bags", "a hand truck",
	}
	weekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}

	notes = []string{
		"Called the carrier: they look into it and call back tomorrow.",
		"The customer has been very patient so far. Let's be generous here.",
		"Stock system shows {n} left in the second warehouse.",
		"Same matter as last week's; the supplier knows of it.",
		"Checked the payment: it has arrived and is booked.",
		"Waits for the answer of accounting. They promised it by {day}.",
		"Looks like a mistake in picking, not one of the carrier.",
		"Asked the warehouse for a photo of the pallet.",
	}
	chasers = []string{
		"Is there any news? We need this by {day}.",
		"Thank you for the quick answer. I'll wait for your next message.",
		"That sounds good. Please tell me when it is done.",
		"I have just looked again, and nothing has changed on my side.",
		"Thanks. One more thing: could the invoice go to our new address as well?",
		"Understood. When can I expect it, roughly?",
		"Sorry to ask again, but my own customers are asking me.",
		"Yes, please do it that way.",
	}
	replies = []string{
		"Thank you for waiting. I have asked again, and will write before {day} at the latest.",
		"Yes, of course. I have noted it in your order.",
		"Nothing more is needed from your side. I'll see to the rest.",
		"I understand that it is urgent. It is at the top of my list.",
		"That is right. We'll do it exactly like that.",
		"My colleagues are on it. I expect to know more by {day}.",
	}
	objections = []string{
		"I am afraid it isn't settled: today the same thing happened again.",
		"Thank you, but only half of it has arrived. Could you look again?",
		"This did not work for me. It still shows the old state.",
		"The amount is still not right: {amount} is missing.",
	}
	acknowledgements = []string{
		"I am looking into it with the carrier myself.",
		"Talked to the customer by phone; they know that we are late.",
		"The supplier is the reason. I have taken it over.",
	}
)
