package s3api

// The small configurations of a bucket, whose documents hold one word.

// Who pays for requests.
const (
	BucketOwnerPays = "BucketOwner"
	RequesterPays   = "Requester"
)

// DecodeRequestPayment decodes a RequestPaymentConfiguration document and returns who pays
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html).
func DecodeRequestPayment(body []byte) (payer string, err error) {
	return decodeWord(body, "RequestPaymentConfiguration", "Payer", BucketOwnerPays, RequesterPays)
}

// AppendRequestPayment appends a RequestPaymentConfiguration document.
func AppendRequestPayment(dst []byte, payer string) []byte {
	dst = appendRoot(dst, "RequestPaymentConfiguration")
	dst = appendElement(dst, "Payer", payer)
	return appendClose(dst, "RequestPaymentConfiguration")
}

// DecodeAccelerate decodes an AccelerateConfiguration document and returns its Status, Enabled or Suspended
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAccelerateConfiguration.html).
func DecodeAccelerate(body []byte) (status string, err error) {
	return decodeWord(body, "AccelerateConfiguration", "Status", "Enabled", "Suspended")
}

// AppendAccelerate appends an AccelerateConfiguration document; status "" is that of a bucket where it was never set.
func AppendAccelerate(dst []byte, status string) []byte {
	dst = appendRoot(dst, "AccelerateConfiguration")
	dst = appendOptional(dst, "Status", status)
	return appendClose(dst, "AccelerateConfiguration")
}

// decodeWord decodes a document of one element that must be there and be one of the words.
func decodeWord(body []byte, root, element string, words ...string) (string, error) {
	var word string
	var seen map[string]bool
	err := decodeRoot(body, root, func(s *scanner, name string) error {
		if name != element {
			return s.fail("unexpected element " + name)
		}
		return s.once(&seen, name, &word)
	})
	if err != nil {
		return "", err
	}
	for _, w := range words {
		if w == word {
			return word, nil
		}
	}
	return "", E(MalformedXML)
}

// AppendNoConfigurations appends the answer of the lists of inventory, analytics, metrics and tiering configurations of a
// bucket that has none; root is the name of the document.
func AppendNoConfigurations(dst []byte, root string) []byte {
	dst = appendRoot(dst, root)
	dst = appendBool(dst, "IsTruncated", false)
	return appendClose(dst, root)
}
