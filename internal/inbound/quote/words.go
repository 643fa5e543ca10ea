package quote

import "strings"

// The words of mail programs, in lower case. Languages are in the order English, German, French, Spanish, Portuguese,
// Italian, Catalan, Romanian, Dutch, Scandinavian, Finnish, Baltic, Polish, Czech, Slovak, South Slavic, Hungarian, Russian,
// Ukrainian, Bulgarian, Greek, Turkish, Hebrew, Arabic, Persian, Hindi, Thai, Vietnamese, Indonesian, Chinese, Japanese, Korean.

// verbs end a line that introduces a quotation. A longer one stands before its own ending.
var verbs = strings.Split(`wrote the following|wrote|writes|schrieb folgendes|folgendes geschrieben|schrieb|a écrit|a ecrit|écrit|ha escrito|escribió|escribio`+
	`|escreveu|ha scritto|scrive|ha escrit|va escriure|a scris|het volgende geschreven|schreef het volgende|schreef|geschreven`+
	`|skrev følgende|skrev följande|skrev|kirjoitti|kirjutas|rašė|rakstīja|napisał(a)|napisał/a|napisała|napisał|pisze`+
	`|napsal(a)|napsal/a|napsala|napsal|napísal(a)|napísal/a|napísala|napísal|napisao/la je|napisao/la|napisao je|napisala je|napisao`+
	`|napisal/a|napisala|napisal|ezt írta|írta|написал(а)|написала|написал|пишет|писал(а)|писал|пише|написав(ла)|написав|написа`+
	`|έγραψε|şunu yazdı|şunları yazdı|yazdı|כתב/ה|כתבה|כתב|كتبت|كتب|نوشت|ने लिखा|เขียนว่า|เขียน|đã viết|viết|telah menulis|menulis`+
	`|写道|寫道|写到|さんは書きました|書きました|のメール|님이 작성|작성|쓴 글`, "|")

// middleVerbs stand between the date and the author, or between the author and the date.
var middleVerbs = strings.Split(` schrieb | schreef | skrev | kirjoitti | kirjutas |wiadomość napisana przez | ezt írta | şunları yazdı | تمت كتابة ما يلي بواسطة | كتب | كتبت `, "|")

// pronouns are the subjects of "wrote" where a person wrote the line, and not a program.
var pronouns = set(`i|we|he|she|they|ich|wir|er|sie|man|mir|uns|ihr|ihre|mein|meine|je|j'ai|nous|il|elle|yo|nosotros|él|ella|eu|nós|ele|ela|io|noi|lui|lei|ik|wij|hij|jeg|vi|jag|han|hun|hon|я|мы|он|она`)

// rawLabels are of headers that people copy from a mail's source, which no program writes above a mail that it quotes.
var rawLabels = set(`received|message-id|mime-version|return-path|content-type|dkim-signature|references|in-reply-to|delivered-to|authentication-results`)

var labels = fieldsOf(map[field]string{
	fromField: `from|von|absender|de|expéditeur|remitente|remetente|da|mittente|de la|expeditor|van|afzender|från|fra|avsändare|afsender` +
		`|avsender|lähettäjä|saatja|nuo|od|nadawca|odesílatel|odosielateľ|pošiljatelj|feladó|от|от кого|отправитель|від|від кого|από` +
		`|kimden|gönderen|מאת|من|از|จาก|từ|người gửi|dari|pengirim|发件人|發件人|寄件者|寄件人|差出人|送信者|보낸 사람|보낸사람|보낸 이`,
	dateField: `date|sent|gesendet|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|fecha|enviada|enviado em|enviada em|data|inviato` +
		`|data invio|enviat|trimis|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|pvm|saadetud|kuupäev|išsiųsta|wysłano|data wysłania` +
		`|odesláno|odoslané|poslano|poslato|elküldve|dátum|отправлено|дата|дата отправки|надіслано|відправлено|изпратено|στάλθηκε` +
		`|ημερομηνία|απεστάλη|gönderilme|gönderildi|gönderilme tarihi|gönderme tarihi|tarih|נשלח|תאריך|تم الإرسال|تاريخ الإرسال|التاريخ` +
		`|تاریخ|วันที่|ส่ง|đã gửi|ngày|dikirim|tanggal|发送时间|發送時間|日期|时间|寄件日期|傳送時間|送信日時|日付|日時|보낸 날짜|날짜|보낸 시간`,
	toField: `to|an|empfänger|à|a|pour|destinataire|para|destinatario|destinatário|per a|către|catre|aan|till|til|mottagare|modtager|vastaanottaja` +
		`|kellele|kam|do|dla|komu|za|prima|címzett|кому|до|προς|kime|alıcı|אל|إلى|الى|به|ถึง|đến|tới|kepada|收件人|收件者|宛先|받는 사람|받는사람`,
	copyField: `cc|kopie|copie|copia|cópia|kopia|kopi|kopio|kopija|másolatot kap|копия|копія|κοιν|bilgi|עותק|نسخة|抄送|副本|참조`,
	subjectField: `subject|betreff|objet|sujet|asunto|assunto|oggetto|assumpte|subiect|onderwerp|ämne|emne|aihe|teema|tema|temat|předmět|predmet` +
		`|zadeva|naslov|tárgy|тема|относно|θέμα|konu|נושא|الموضوع|موضوع|เรื่อง|หัวเรื่อง|chủ đề|tiêu đề|subjek|perihal|主题|主題|主旨|件名|제목`,
	otherField: `bcc|reply-to|reply to|importance|priority|attachments|organization|organisation|antwort an|antworten an|wichtigkeit|priorität` +
		`|anlagen|anhänge|répondre à|importance|pièces jointes|responder a|importancia|datos adjuntos|responder para|anexos|importância` +
		`|rispondi a|risposta|priorità|allegati|antwoord aan|urgentie|bijlagen|svar till|prioritet|bilagor|liitteet|załączniki|přílohy|вложения`,
})

// originals stand between dashes above a quoted mail.
var originals = set(`original message|original mail|original email|reply message|ursprüngliche nachricht|original-nachricht|originalnachricht|antwort nachricht` +
	`|original nachricht|message d'origine|message d’origine|message original|mensaje original|mensagem original|messaggio originale` +
	`|missatge original|mesaj original|mesajul original|oorspronkelijk bericht|origineel bericht|ursprungligt meddelande` +
	`|originalmeddelande|oprindelig meddelelse|original meddelelse|oprindelig besked|opprinnelig melding|alkuperäinen viesti|algne sõnum` +
	`|oryginalna wiadomość|wiadomość oryginalna|wiadomość pierwotna|původní zpráva|původní e-mail|pôvodná správa|izvorna poruka` +
	`|originalna poruka|izvirno sporočilo|eredeti üzenet|исходное сообщение|исходное письмо|оригинальное сообщение` +
	`|оригінальне повідомлення|вихідне повідомлення|оригинално съобщение|αρχικό μήνυμα|özgün ileti|orijinal mesaj|orjinal mesaj` +
	`|הודעה מקורית|الرسالة الأصلية|tin nhắn gốc|thư gốc|pesan asli|原始邮件|邮件原件|原始郵件|回复的原邮件|元のメッセージ|원본 메시지|원본메시지|원본 메일`)

// forwards stand between dashes above a forwarded mail.
var forwards = set(`forwarded message|forwarded mail|forwarded email|forwarded by|weitergeleitete nachricht|message transféré|message réexpédié` +
	`|mensaje reenviado|mensagem encaminhada|mensagem reencaminhada|messaggio inoltrato|missatge reenviat|mesaj redirecționat` +
	`|doorgestuurd bericht|vidarebefordrat meddelande|vidarebefordrat mail|videresendt meddelelse|videresendt melding|videresendt besked` +
	`|edelleenlähetetty viesti|välitetty viesti|przekazana wiadomość|wiadomość przekazana dalej|treść przekazanej wiadomości` +
	`|přeposlaná zpráva|preposlaná správa|proslijeđena poruka|posredovano sporočilo|továbbított üzenet|továbbított levél` +
	`|пересылаемое сообщение|перенаправленное сообщение|пересланное сообщение|переслане повідомлення|препратено съобщение` +
	`|προωθημένο μήνυμα|yönlendirilen ileti|iletilen mesaj|הודעה שהועברה|رسالة معاد توجيهها|الرسالة المعاد توجيهها|pesan terusan` +
	`|thư được chuyển tiếp|转发的邮件|转发邮件信息|已转发邮件|轉寄郵件|轉寄的郵件|転送メッセージ|転送されたメッセージ|전달된 메시지|전달된 메일`)

// beginForwards are how Apple's programs begin a forwarded mail, before a colon.
var beginForwards = set(`begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié|début du message transféré` +
	`|inicio del mensaje reenviado|início da mensagem reenviada|início da mensagem encaminhada|inizio messaggio inoltrato` +
	`|begin doorgestuurd bericht|vidarebefordrat brev|start på videresendt besked|videresendt melding|välitetty viesti alkaa` +
	`|początek przekazanej wiadomości|začátek přeposlané zprávy|továbbított levél kezdete|начало переадресованного сообщения` +
	`|начало пересылаемого сообщения|початок листа, що пересилається|αρχή προωθημένου μηνύματος|iletilen ileti başlangıcı` +
	`|תחילת ההודעה שהועברה|بدء الرسالة المعاد توجيهها|开始转发的邮件|下面是被转发的邮件|開始轉寄郵件|転送されたメッセージ|전달된 메시지 시작`)

// forwardPrefixes begin the subject of a forwarded mail.
var forwardPrefixes = set(`fw|fwd|forward|wg|tr|rv|rm|reenv|enc|i|inoltro|doorst|vb|vl|fs|pd|přeposl|továbbítás|redirecționat` +
	`|proslijeđeno|ilt|i̇lt|πρθ|пересл|переслано|הועבר|إعادة توجيه|trs|转发|轉寄|転送|전달`)

// phrasePrefixes begin a line that a program adds below what is written.
var phrasePrefixes = strings.Split(`sent from my |from my iphone|from my ipad|sent from mail for|sent from mail]|sent from [mail|sent from mailbox`+
	`|sent from mobile|sent from yahoo|sent from aol|sent from outlook|sent from windows mail|sent from samsung|sent from proton|sent from a phone`+
	`|sent from gmail mobile|sent from nine|sent from bluemail|sent from type app|sent from typeapp|sent from spark|sent from superhuman|sent via superhuman|sent from em client|sent from mymail`+
	`|sent from zoho mail|sent from fairphone|sent from tuta|sent from the all new aol|sent with mailfence|sent via the samsung|get bluemail for|get typeapp for|yahoo mail: search|secured with tuta|sent via mobile|sent via blackberry|sent with airmail`+
	`|sent with proton|sent with [proton|sent with spark|sent with sparrow|sent using |sent by galaxy|get outlook for|get [outlook for`+
	`|download outlook for|virus-free.|this email has been checked for viruses by|virenfrei.|garanti sans virus`+
	`|von meinem |von meinem/meiner |gesichert mit tuta|gesendet von meinem |gesendet mit |gesendet von outlook|gesendet von mail|gesendet von yahoo|diese nachricht wurde von mein|holen sie sich outlook`+
	`|outlook für ios beziehen|outlook für android beziehen|envoyé depuis |envoyé de mon |envoyé à partir de|obtenez outlook pour|obtenir outlook pour|obtenir bluemail|télécharger bluemail|envoyé avec proton|envoyé avec la messagerie|télécharger outlook pour`+
	`|enviado desde mi |enviado desde yahoo|enviado desde correo|enviado desde outlook|obtener outlook para|obtener bluemail|descargar outlook para|enviado do meu |enviado a partir do`+
	`|enviado de meu |enviado do yahoo|enviado do outlook|obter o outlook para|obter o bluemail|inviato da iphone|inviato da ipad|inviato dal mio |inviato da outlook|inviato da posta per`+
	`|ottieni outlook per|ottieni bluemail|inviato da libero mail|invio da iphone|scarica outlook per|enviat des del meu|trimis de pe |verstuurd vanaf mijn |verzonden vanaf mijn |verzonden met blackberry|verzonden vanuit mail|outlook voor ios downloaden|outlook voor android downloaden`+
	`|skickat från min |skickat från outlook|skickades från |sendt fra min |hämta outlook för|hent outlook til|lähetetty iphone|lähetetty ipad|lähetetty puhelimesta|hanki outlook`+
	`|saadetud minu |išsiųsta iš mano |wysłane z |wysłano z |pobierz outlook|odesláno z |odoslané z |získat outlook|stáhnout outlook|poslano s mog|poslano z moje`+
	`|отправлено с |отправлено из |скачать outlook|надіслано з |изпратено от моя|στάλθηκε από το |gönderildi iphone|android için outlook|ios için outlook|küldve iphone|נשלח מה|تم الإرسال من |أرسلت من|أُرسلت من`+
	`|đã gửi từ |gửi từ |dikirim dari |ส่งจาก|发自我的|来自我的|發自我的|從我的|从我的|寄自我的|从网易邮箱|来自 outlook|获取 outlook|取得 outlook|android용 outlook|ios용 outlook|나의 `, "|")

// phraseSuffixes end one, in languages that put the verb last.
var phraseSuffixes = strings.Split(`dan gönderildi|den gönderildi|küldve|から送信|outlookを入手|에서 보냄|से भेजा गया`, "|")

// products are what such lines name. Other lines that begin alike were written: "Sent from Berlin on Monday".
//
//nolint:misspell // French
var products = strings.Split(`phone|iphon|ipad|ipod|android|galaxy|samsung|mobil|móvil|movil|handy|cell|cellulare|mòbil|blackberry|outlook|mail|posta|почт|邮箱|typeapp|superhuman|em client|zoho|tuta|aol|nine<|yahoo|windows|huawei`+
	`|xiaomi|proton|sparrow|spark|tablet|nokia|htc|device|gerät|appareil|telefon|teléfono|telefone|téléphone|telefoon|puhelime|virus|телефон|смартфон|айфон`+
	`|устройств|κινητό|手机|手機|スマートフォン|휴대`, "|")

func fieldsOf(names map[field]string) map[string]field {
	all := map[string]field{}
	for f, list := range names {
		for name := range strings.SplitSeq(list, "|") {
			all[name] = f
		}
	}
	return all
}

func set(names string) map[string]bool {
	all := map[string]bool{}
	for name := range strings.SplitSeq(names, "|") {
		all[name] = true
	}
	return all
}
