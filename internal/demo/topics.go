package demo

// topics are plain matters of a shop that sells in bulk. All of it is invented for the demonstration.
var topics = []topic{
	{
		category: "delivery", order: true,
		subjects: []string{"Where is my parcel?", "Order {order} has not arrived", "Delivery is {days} days late"},
		openings: []string{
			"I ordered {product} (order {order}). It was due on {day} and has not arrived. The tracking page has said \"in transit\" for {days} days.",
			"Order {order} should have been here on {day}. Nobody rang, and there is no card in the letter box. Could you find out where it is?",
		},
		answers: []string{
			"Your parcel left our warehouse on {day}. I have asked the carrier to look for it and will write as soon as they answer.",
			"The carrier has found it in another depot. It should be with you within two working days.",
		},
		question: "Which address is printed on your order confirmation? The carrier says that the house number is missing.",
		detail:   "It says 12 Example Street, second floor. The house number is there on my copy.",
		news:     []string{"The carrier has started a search. They usually need two working days for it."},
		fixes: []string{
			"The parcel was handed over this morning, and the carrier has the signature. We are sorry for the delay.",
			"We have sent {product} again, by express, at no cost to you. If the first parcel turns up, please keep the carrier's card.",
		},
	},
	{
		category: "delivery", order: true,
		subjects: []string{"Parcel arrived damaged", "Broken on arrival: order {order}"},
		openings: []string{
			"The box with {product} was crushed on one side. {n} pieces are broken. I have taken pictures.",
			"Delivered today, and the pallet had tipped over on the way. {n} of the boxes can't be sold any more.",
		},
		answers: []string{
			"I am sorry to read that. Please keep the packaging for now: the carrier may want to see it.",
			"Thank you. We have reported the damage to the carrier; you need not do anything.",
		},
		question: "How many pieces are damaged exactly, and can the others be used?",
		detail:   "{n} are broken, the others are fine. I would keep those.",
		news:     []string{"The carrier accepts the damage. I am arranging the replacement now."},
		fixes: []string{
			"The replacement for the {n} broken pieces is on its way. You need not send anything back.",
			"We have refunded {amount} for the damaged pieces, to the account that you paid from.",
		},
	},
	{
		category: "delivery", order: true,
		subjects: []string{"Change of delivery address", "Please deliver order {order} to another address"},
		openings: []string{
			"We move on {day}. Please send order {order} to the new address: 7 Sample Road, rear building.",
			"I typed the old address by mistake. Can order {order} still be redirected?",
		},
		answers: []string{
			"The order has not been packed yet, so I can still change it. I'll confirm once it is done.",
			"It is on the road already. I have asked the carrier to redirect it.",
		},
		question: "Is there a phone number that the driver may call at the new address?",
		detail:   "Please let them call reception: 555 0100.",
		news:     []string{"The carrier has the new address; delivery moves to {day}."},
		fixes:    []string{"The new address is on the order and on the label. Delivery is planned for {day}."},
	},
	{
		category: "order", order: true,
		subjects: []string{"Pieces missing from order {order}", "Short delivery", "Only part of the order came"},
		openings: []string{
			"I ordered {product} and {n} pieces are missing. The delivery note lists all of them.",
			"{n} of our boxes did not come with order {order}. Is there a second delivery?",
		},
		answers: []string{
			"The missing pieces were out of stock when we packed. They follow by themselves on {day}.",
			"That is our mistake in picking. I have asked the warehouse to send the rest today.",
		},
		question: "Could you tell me the number on the delivery note, top right?",
		detail:   "It says DN-{order}-{n}.",
		news:     []string{"The warehouse has found the missing boxes. They are being packed."},
		fixes: []string{
			"The {n} missing pieces have left today. We did not charge the second delivery.",
			"We have taken the missing pieces off the invoice: {amount} less.",
		},
	},
	{
		category: "order", order: true,
		subjects: []string{"Please cancel, ordered twice", "Cancel order {order}"},
		openings: []string{
			"I pressed the button twice and have now ordered {product} two times. Please cancel order {order}.",
			"Our event was called off, so we don't need {product} any more. Can you still cancel?",
		},
		answers: []string{
			"I have stopped the order in the warehouse. The cancellation follows in writing.",
			"It has been packed already. If you refuse the delivery, it comes back to us at no cost to you.",
		},
		question: "Shall I cancel the whole order, or only the second line of it?",
		detail:   "The whole of order {order}, please.",
		news:     []string{"The warehouse has taken it off the truck. The refund is being prepared."},
		fixes:    []string{"Order {order} is cancelled, and {amount} goes back to your account within five working days."},
	},
	{
		category: "order",
		subjects: []string{"Quantity discount", "Offer for a larger quantity", "Price for {n} pallets"},
		openings: []string{
			"We would like {n} times {product} for our branches. Is there a better price for that?",
			"Is the price on the page for single boxes only? We need {n}0 every month.",
		},
		answers: []string{
			"From five boxes on we can offer eight percent. I'll have an offer made out for you.",
			"For a monthly order there is a standing price. Our sales team prepares it.",
		},
		question: "How many do you need, and until when?",
		detail:   "{n}0 boxes, every first {day} of the month.",
		news:     []string{"The offer is with our sales team and should be ready by {day}."},
		fixes:    []string{"The offer is in your account under Offers and holds for 30 days. You can order from there."},
	},
	{
		category: "order",
		subjects: []string{"When is it back in stock?", "Out of stock for {days} days"},
		openings: []string{
			"The page has shown {product} as sold out for {days} days. When will it be back?",
			"I would like to order {product}, and it can't be put into the basket.",
		},
		answers: []string{
			"The next delivery from the supplier is planned for {day}. I can reserve some for you.",
			"That one has been replaced by a newer model, at the same price.",
		},
		question: "Would another colour do as well? The grey one is in stock.",
		detail:   "Grey is fine, if it comes this week.",
		news:     []string{"The supplier's truck has been announced for {day}."},
		fixes:    []string{"It is in stock again, and {n} are reserved for you until {day}."},
	},
	{
		category: "payment", order: true,
		subjects: []string{"Charged twice", "Double payment for order {order}"},
		openings: []string{
			"My card was charged {amount} twice for order {order}. Please return one of the payments.",
			"The bank statement shows the same amount, {amount}, on {day} and again the day after.",
		},
		answers: []string{
			"I see both payments. One of them is only reserved and should go back by itself; I am checking with accounting.",
			"You are right: it was booked twice. I have asked for the refund.",
		},
		question: "Could you tell me the last four digits of the card, and no more than these?",
		detail:   "They are 0000.",
		news:     []string{"Accounting has confirmed the second payment. The refund goes out with the next run."},
		fixes:    []string{"{amount} went back to your card today. Your bank may need up to five days to show it."},
	},
	{
		category: "payment", order: true,
		subjects: []string{"Invoice with the wrong address", "VAT number missing on the invoice", "Need a corrected invoice for {order}"},
		openings: []string{
			"The invoice for order {order} shows our old company address. We need a corrected one for our books.",
			"Our VAT number is missing on the invoice. It is in the account, so it should be there.",
		},
		answers: []string{
			"I have passed it to accounting. A corrected invoice takes about two working days.",
			"The invoice was made before the address was changed in your account. We'll write it anew.",
		},
		question: "Please write the address exactly as it should appear.",
		detail:   "Demo Trading Ltd, 7 Sample Road, 00000 Exampletown.",
		news:     []string{"The old invoice has been cancelled; the new one is being written."},
		fixes:    []string{"The corrected invoice is in your account, under order {order}."},
	},
	{
		category: "payment",
		subjects: []string{"Payment refused", "Card does not work at the checkout"},
		openings: []string{
			"I have tried {n} times, and the checkout refuses my card each time. The bank says that nothing is wrong with it.",
			"The payment page ends with an error after the bank's confirmation.",
		},
		answers: []string{
			"The payment service had a disturbance on {day}. Could you try it once more?",
			"I see the attempts. They were stopped because the billing address differs from the card's.",
		},
		question: "Which browser do you use, and what does the message say?",
		detail:   "It says \"declined, code {n}1\". It is the same in two browsers.",
		news:     []string{"The payment service looks into it. Until then you can pay by bank transfer."},
		fixes:    []string{"The block has been lifted. Please try again; your basket has been kept."},
	},
	{
		category: "returns", order: true,
		subjects: []string{"Return of order {order}", "Return label, please", "I would like to send something back"},
		openings: []string{
			"{product}: it does not fit our shelves. How do I send it back?",
			"I need a return label for order {order}. The page only shows an error.",
		},
		answers: []string{
			"Of course. The return label is attached to your account; any parcel shop takes it.",
			"For a pallet we send a truck. Which days would suit you?",
		},
		question: "Is everything still in its original packaging?",
		detail:   "Yes, one box has been opened and nothing was used.",
		news:     []string{"The truck is planned for {day}, between 10 and 14."},
		fixes:    []string{"Your return has arrived and is in order. {amount} is on its way to you."},
	},
	{
		category: "returns", order: true,
		subjects: []string{"Refund has not arrived", "Still waiting for {amount}"},
		openings: []string{
			"I sent order {order} back {days} days ago, and the refund has not come.",
			"According to the tracking you got my return on {day}. When will I get my {amount}?",
		},
		answers: []string{
			"The return is in our warehouse and is checked in the order of arrival. I have asked them to take yours first.",
			"The refund was made on {day}. Some banks take a while to show it.",
		},
		question: "Did you pay by card or by bank transfer?",
		detail:   "By bank transfer.",
		news:     []string{"Your return has been checked. Accounting makes the transfer next."},
		fixes:    []string{"The transfer of {amount} has been made today, under the number of your order."},
	},
	{
		category: "returns", order: true,
		subjects: []string{"Wrong item delivered", "Got something else than ordered"},
		openings: []string{
			"I ordered {product} and got something else. The label on the box is right, what is inside is not.",
			"The colour is wrong: we ordered black, and all of them are white.",
		},
		answers: []string{
			"I am sorry about the mix-up. The right one is reserved, and the wrong one is collected on delivery.",
			"Thank you for telling us. It seems that a whole batch was labelled wrongly.",
		},
		question: "What is the number below the bar code on the box?",
		detail:   "It reads 0000{order}.",
		news:     []string{"The warehouse has stopped the batch and sends the right ones."},
		fixes:    []string{"The right ones left today; the driver takes the others along."},
	},
	{
		category: "account",
		subjects: []string{"Password link does not arrive", "Can't sign in"},
		openings: []string{
			"I can't get into my account any more. The mail with the link does not arrive, not in the spam folder either.",
			"After the change of my address I am told that the account doesn't exist.",
		},
		answers: []string{
			"The link is sent to the address in the account. I have sent you one just now; it works for an hour.",
			"Your mail server put our mails off for a while. It should work again.",
		},
		question: "Which address did you register with? Please write from that one, if you can.",
		detail:   "It is the one that I am writing from.",
		news:     []string{"Our mail log shows that your server now accepts our mails."},
		fixes:    []string{"The account is open again, and a new link is in your mailbox."},
	},
	{
		category: "account",
		subjects: []string{"Second user for our account", "Accounts for our branches", "Colleague needs access"},
		openings: []string{
			"My colleague should be able to order for us as well. How do we add somebody?",
			"Who of us can see the orders of the other branches? We would like to keep them apart.",
		},
		answers: []string{
			"The owner of the account can invite others, under Account, People.",
			"Each branch can have an account of its own, with one invoice for all. Shall I set that up?",
		},
		question: "How many branches would that be?",
		detail:   "{n}, and each of them orders by itself.",
		news:     []string{"The branch accounts are being set up. You'll get an invitation for each."},
		fixes:    []string{"It is all set up: the invitations have been mailed, and the old orders stay where they are."},
	},
	{
		category: "general",
		subjects: []string{"Can we collect the goods ourselves?", "Opening hours around the holidays", "Pick-up at your warehouse"},
		openings: []string{
			"We would like to collect {product} ourselves. Is that possible, and when?",
			"Are you open on the {day} before the holiday?",
		},
		answers: []string{
			"Yes: gate 2, Monday to Friday. Please bring the order number and a car that is big enough.",
			"We are. The last pick-up on that day is at 15:00.",
		},
		question: "What would you come with: a car, a van or a truck?",
		detail:   "A van, {n} metres long.",
		news:     []string{"Gate 2 is reserved for you on {day} morning."},
		fixes:    []string{"Everything is ready at gate 2. Just ring the bell."},
	},
	{
		category: "general",
		subjects: []string{"Data sheet for our audit", "Certificate for {product}"},
		openings: []string{
			"For our audit we need the data sheet for {product}. The page has none.",
			"Does {product} come with a certificate? Our customers ask for one.",
		},
		answers: []string{
			"I have asked the manufacturer for it. They usually answer within {n} days.",
			"There is one, and it will be put on the page. I'll send it to you beforehand.",
		},
		question: "Which language do you need it in?",
		detail:   "English, please. German would do as well.",
		news:     []string{"The manufacturer has promised the papers for {day}."},
		fixes:    []string{"The data sheet and the certificate are now on the page, below the description."},
	},
	{
		category: "general",
		subjects: []string{"Complaint about the driver", "Goods left in the rain"},
		openings: []string{
			"Your driver shouted at our colleague in reception because the lift was broken. That must not happen again.",
			"The driver left {product} in the rain, in front of the gate, though somebody was there.",
		},
		answers: []string{
			"I am sorry about that. The carrier has been told, and asks when exactly it was.",
			"Thank you for telling us. The carrier's office will talk to the driver.",
		},
		question: "Do you remember at what time that was, roughly?",
		detail:   "Between 9 and 10, on {day}.",
		news:     []string{"The carrier's office talks to the driver this week."},
		fixes:    []string{"The carrier apologises, and has put a note for drivers on your address. We are sorry for the trouble."},
	},
	{
		category: "general",
		subjects: []string{"A hint about your page", "Search finds too much"},
		openings: []string{
			"Ordering went very well. Only the filter for sizes doesn't remember what I chose.",
			"When I look for {product}, the page lists everything that has one of the words in it.",
		},
		answers: []string{
			"Thank you for the hint. I have passed it on to those who can change it.",
			"I could see it happen here. It will be looked at with the next change of the page.",
		},
		question: "Is it the same on a phone and on a computer?",
		detail:   "On both. I have tried it {n} times.",
		news:     []string{"The change has been made and is being tested."},
		fixes:    []string{"The page has been changed. Thank you for telling us, and for your patience."},
	},
}
