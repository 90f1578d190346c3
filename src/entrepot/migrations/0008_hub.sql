-- What is true of the hub as a whole, and belongs to no tenant (a reference table when distributed).
CREATE TABLE hub (
    one      boolean PRIMARY KEY DEFAULT true CONSTRAINT hub_is_one CHECK (one),
    address  text NOT NULL,     -- its own URL as partners write it; base URLs start with it
    presence bigint NOT NULL    -- the advisory lock of whoever serves on that address
);
