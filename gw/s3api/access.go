package s3api

// PublicAccessBlock is the public access block of a bucket
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html).
type PublicAccessBlock struct {
	BlockPublicACLs       bool // refuse to set public ACLs
	IgnorePublicACLs      bool // do not count public grants
	BlockPublicPolicy     bool // refuse to set a public policy
	RestrictPublicBuckets bool // if the policy is public, it gives rights to nobody but the owner's own users
}

// DecodePublicAccessBlock decodes the document; a flag that is left out is false.
func DecodePublicAccessBlock(body []byte) (PublicAccessBlock, error) {
	var p PublicAccessBlock
	var seen map[string]bool
	err := decodeRoot(body, "PublicAccessBlockConfiguration", func(s *scanner, name string) error {
		flag := p.flag(name)
		if flag == nil {
			return s.fail("unexpected element " + name)
		}
		var text string
		if err := s.once(&seen, name, &text); err != nil {
			return err
		}
		value, ok := parseXMLBool(text)
		if !ok {
			return s.fail(name + " is no boolean")
		}
		*flag = value
		return nil
	})
	return p, err
}

func (p *PublicAccessBlock) flag(name string) *bool {
	switch name {
	case "BlockPublicAcls":
		return &p.BlockPublicACLs
	case "IgnorePublicAcls":
		return &p.IgnorePublicACLs
	case "BlockPublicPolicy":
		return &p.BlockPublicPolicy
	case "RestrictPublicBuckets":
		return &p.RestrictPublicBuckets
	}
	return nil
}

// Append appends the document, which is also how it is stored.
func (p PublicAccessBlock) Append(dst []byte) []byte {
	dst = appendRoot(dst, "PublicAccessBlockConfiguration")
	for _, name := range [...]string{"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"} {
		dst = appendBool(dst, name, *p.flag(name))
	}
	return appendClose(dst, "PublicAccessBlockConfiguration")
}

// ObjectOwnership says whom objects belong to and whether access control lists count
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html).
type ObjectOwnership string

// The ownerships.
const (
	ObjectWriter         ObjectOwnership = "ObjectWriter"         // objects belong to who wrote them
	BucketOwnerPreferred ObjectOwnership = "BucketOwnerPreferred" // to the bucket's owner if the writer gives it full control
	BucketOwnerEnforced  ObjectOwnership = "BucketOwnerEnforced"  // to the bucket's owner; lists are switched off
)

// Known reports whether it is one of the three.
func (o ObjectOwnership) Known() bool {
	return o == ObjectWriter || o == BucketOwnerPreferred || o == BucketOwnerEnforced
}

// DecodeOwnershipControls decodes the document, which has exactly one rule.
func DecodeOwnershipControls(body []byte) (ObjectOwnership, error) {
	var text string
	var seen map[string]bool
	err := decodeRoot(body, "OwnershipControls", func(s *scanner, name string) error {
		if name != "Rule" || seen != nil {
			return s.fail("unexpected element " + name)
		}
		return s.each(func(name string) error {
			if name != "ObjectOwnership" {
				return s.fail("unexpected element " + name)
			}
			return s.once(&seen, name, &text)
		})
	})
	if err == nil && !ObjectOwnership(text).Known() {
		err = E(MalformedXML)
	}
	return ObjectOwnership(text), err
}

// Append appends the document, which is also how it is stored.
func (o ObjectOwnership) Append(dst []byte) []byte {
	dst = appendRoot(dst, "OwnershipControls")
	dst = appendOpen(dst, "Rule")
	dst = appendElement(dst, "ObjectOwnership", string(o))
	dst = appendClose(dst, "Rule")
	return appendClose(dst, "OwnershipControls")
}

// AppendPolicyStatus appends the answer of GetBucketPolicyStatus.
func AppendPolicyStatus(dst []byte, public bool) []byte {
	dst = appendRoot(dst, "PolicyStatus")
	dst = appendBool(dst, "IsPublic", public)
	return appendClose(dst, "PolicyStatus")
}
