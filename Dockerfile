# One static program in an empty image, with the certificates for a PostgreSQL
# that is reached with TLS. The program checks its own health (fairfactor ready).
FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=0.1.0
ARG COMMIT=
RUN CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /out/fairfactor ./cmd/fairfactor \
	&& go run ./cmd/fairfactor/deploy/licences /out/fairfactor /out/THIRD-PARTY.txt \
	&& cp LICENSE /out/ \
	&& mkdir -p /out/empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/fairfactor /fairfactor
COPY --from=build /out/LICENSE /out/THIRD-PARTY.txt /
# Volumes that are mounted here take over this owner.
COPY --from=build --chown=65532:65532 /out/empty /data
COPY --from=build --chown=65532:65532 /out/empty /certs
USER 65532:65532
ENV FAIRFACTOR_HTTP=0.0.0.0:5555 FAIRFACTOR_DATA=/data
EXPOSE 5555
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=3s --timeout=5s --start-period=60s --retries=3 CMD ["/fairfactor", "ready", "--url", "http://127.0.0.1:5555"]
ENTRYPOINT ["/fairfactor"]
CMD ["serve"]
