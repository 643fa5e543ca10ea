# One static binary on an empty base: docker build --build-arg VERSION=v1.2.3 -t supportdesk:v1.2.3 .
# Run it as `supportdesk api`, `worker` or `migrate`; see docker-compose.yml.

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=devel
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /supportdesk ./cmd/supportdesk

# The folder of files, which its volume takes its owner from.
RUN mkdir -p /var/lib/supportdesk/blobs

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /supportdesk /supportdesk
COPY --from=build --chown=65532:65532 /var/lib/supportdesk /var/lib/supportdesk
# A number, so that an orchestrator can see that it is not root; there is no /etc/passwd to look a name up in.
USER 65532:65532
# The API, and /healthz and /readyz of the worker and of mail.
EXPOSE 8080 8081 8082
ENTRYPOINT ["/supportdesk"]
CMD ["--help"]
