package demo

// topic is a subject of tickets and its texts. {order}, {product}, {amount}, {day}, {days} and {n} are replaced.
type topic struct {
	category string
	order    bool // about an order, whose number is drawn
	subjects []string
	openings []string // the one for a subject has the same index, modulo their number
	answers  []string // in this order
	question string   // information that the agent needs
	detail   string   // the customer's reply to question
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
		"Called the carrier: they will look into it and call back tomorrow.",
		"The customer has been very patient so far. Let's be generous here.",
		"Stock system shows {n} left in the second warehouse.",
		"Same issue as last week; the supplier is aware of it.",
		"Checked the payment: it has arrived and been posted.",
		"Waiting for accounting. They promised a reply by {day}.",
		"Looks like a picking error, not the carrier's.",
		"Asked the warehouse for a photo of the pallet.",
	}
	chasers = []string{
		"Is there any news? We need this by {day}.",
		"Thank you for the quick reply. I'll wait for your next message.",
		"That sounds good. Please let me know when it is done.",
		"I have just looked again, and nothing has changed on my side.",
		"Thanks. One more thing: could the invoice go to our new address as well?",
		"Understood. When can I expect it, roughly?",
		"Sorry to ask again, but my own customers are asking me.",
		"Yes, please do it that way.",
	}
	replies = []string{
		"Thank you for waiting. I have asked again and will get back to you by {day} at the latest.",
		"Yes, of course. I have added a note to your order.",
		"There is nothing more you need to do. I'll take care of the rest.",
		"I understand that it is urgent. It is at the top of my list.",
		"That's right. We'll do exactly that.",
		"My colleagues are on it. I expect to know more by {day}.",
	}
	objections = []string{
		"I'm afraid it isn't resolved: the same thing happened again today.",
		"Thank you, but only half of it has arrived. Could you look again?",
		"This did not work for me. It still looks the same.",
		"The amount is still not right: {amount} is missing.",
	}
	acknowledgements = []string{
		"I am looking into it with the carrier myself.",
		"Spoke to the customer on the phone; they know about the delay.",
		"The supplier caused this. I'll handle it from here.",
	}
)
