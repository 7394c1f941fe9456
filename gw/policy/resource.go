package policy

import "strings"

// s3ARN begins the ARN of every S3 resource.
const s3ARN = "arn:aws:s3:::"

// arnParts is how many parts an ARN has, with colons between them; the last may have colons of its own.
const arnParts = 6

// resourcePattern is a value of Resource or NotResource.
type resourcePattern struct {
	all  bool // "*"
	tail glob // of what follows s3ARN
	odd  bool // the pattern does not begin with s3ARN as it stands
	arn  arnPattern
}

// match reports whether the pattern matches the resource of a request. A variable without a value matches nothing.
func (p *resourcePattern) match(r *Request) bool {
	if p.all {
		return true
	}
	if p.odd {
		arn, ok := p.arn.resolve(r)
		return ok && arn.match(s3ARN+r.Resource)
	}
	tail, ok := p.tail.resolve(r)
	return ok && tail.match(r.Resource)
}

// compileResource compiles a resource of an identity policy: "*" or an ARN.
func compileResource(s string, variables bool) (resourcePattern, bool) {
	if s == "*" {
		return resourcePattern{all: true}, true
	}
	with := syntax{wildcards: true, variables: variables}
	if tail, ok := strings.CutPrefix(s, s3ARN); ok {
		return resourcePattern{tail: compileGlob(tail, with)}, tail != ""
	}
	if !strings.HasPrefix(s, "arn:") {
		return resourcePattern{}, false
	}
	return resourcePattern{odd: true, arn: compileARN(s, with)}, true
}

// compileBucketResource compiles a resource of a bucket policy: an S3 ARN of that bucket or something in it.
func compileBucketResource(s, bucket string, variables bool) (resourcePattern, bool) {
	tail, ok := strings.CutPrefix(s, s3ARN)
	if !ok || tail == "" {
		return resourcePattern{}, false
	}
	with := syntax{wildcards: true, variables: variables}
	p := resourcePattern{tail: compileGlob(tail, with)}
	// Braces of a variable may hold a "/" (a tag's key): the name is cut behind them.
	name := compileGlob(bucketPart(tail), with)
	return p, name.reaches(bucket, false)
}

// bucketPart returns what precedes the first "/" that is not inside a variable.
func bucketPart(tail string) string {
	inside := false
	for i := 0; i < len(tail); i++ {
		switch {
		case strings.HasPrefix(tail[i:], "${"):
			inside = true
		case tail[i] == '}':
			inside = false
		case tail[i] == '/' && !inside:
			return tail[:i]
		}
	}
	return tail
}

// reach says which kinds of resource the pattern of a bucket's policy can match.
func (p *resourcePattern) reach(bucket string) (aBucket, anObject bool) {
	return p.tail.reaches(bucket, false), p.tail.reaches(bucket+"/", true) || p.tail.reaches(bucket+"/", false)
}

// arnPattern is a pattern whose six parts match those of an ARN one by one, so that a wildcard does not reach over a colon, other than in the
// last part. A pattern of fewer parts is matched as plain text.
type arnPattern struct {
	parts     []glob // 6, or 1 for plain text
	variables bool   // in some part
}

func compileARN(s string, with syntax) arnPattern {
	parts := strings.SplitN(s, ":", arnParts)
	if len(parts) < arnParts {
		parts = []string{s}
	}
	var p arnPattern
	for _, part := range parts {
		g := compileGlob(part, with)
		p.parts, p.variables = append(p.parts, g), p.variables || g.variables
	}
	return p
}

// resolve is as that of [glob].
func (p arnPattern) resolve(r *Request) (arnPattern, bool) {
	if !p.variables {
		return p, true
	}
	out := arnPattern{parts: make([]glob, len(p.parts))}
	for i, part := range p.parts {
		var ok bool
		if out.parts[i], ok = part.resolve(r); !ok {
			return out, false
		}
	}
	return out, true
}

func (p arnPattern) match(s string) bool {
	if len(p.parts) == 1 {
		return p.parts[0].match(s)
	}
	for i, part := range p.parts {
		rest := ""
		if i < arnParts-1 {
			var ok bool
			if s, rest, ok = strings.Cut(s, ":"); !ok {
				return false
			}
		}
		if !part.match(s) {
			return false
		}
		s = rest
	}
	return true
}
